"""What a run records of each partition of a table: the rows in it, and those that it read."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

import dagster as dg

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.defs.partitions import floor_to_period
from invoiced_pipeline.defs.replicated_dataset import ReplicatedDataset
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.partition_rows import rows_by_day
from invoiced_pipeline.windows import Coverage, Window

PARTITION_ROWS = "dagster/partition_row_count"


class PartitionCounts:
    """Counts the rows of partitions that a run changed, and repeats the known counts of others.

    The UI plots the newest materialization of each partition. Without a row count in it, the
    partition would be missing from the plot. A partition that rows moved out of needs a new one.

    Args:
        instance: Where materializations are recorded.
        database: The warehouse, after the load.
        dataset: Whose tables and partitions.
        keys: The run's partitions, in order.
    """

    def __init__(
        self,
        instance: dg.DagsterInstance,
        database: Database,
        dataset: ReplicatedDataset,
        keys: Sequence[str],
    ) -> None:
        self._instance = instance
        self._database = database
        self._dataset = dataset
        self._every_key = dataset.partitions.get_partition_keys()
        self._keys = keys

    def metadata(self, table: Table, report: TableReport) -> dict[str, dict[str, Any]]:
        """Returns metadata of the run's partitions, and of others whose number of rows changed.

        Raises:
            WarehouseError: The warehouse cannot be read.
        """
        touched = self._touched(report)
        recorded = self._recorded(table, set(self._keys) - touched | touched - set(self._keys))
        unknown = set(self._keys) - touched - recorded.keys()
        counts = {**recorded, **self._count(table, touched | unknown)}
        figures: dict[str, dict[str, Any]] = {}
        for key in self._every_key:
            is_own = key in self._keys
            if is_own or (key in touched and counts[key] != recorded.get(key)):
                figures[key] = {PARTITION_ROWS: counts[key], **self._rows_read(report, key)}
        return figures

    def _touched(self, report: TableReport) -> set[str]:
        """Returns the partitions that rows moved into or out of; all if that is not known."""
        is_removed = report.deleted and self._dataset.connection.deletions == "remove"
        is_unknown = report.rows and report.replaced_days is None
        if report.mode == "full" or is_removed or is_unknown:
            return set(self._every_key)
        left = (self._partition_of(day) for day in report.replaced_days or ())
        touched = {*report.periods, *left} & set(self._every_key)
        return touched if report.mode == "sync" else touched | set(self._keys)

    def _rows_read(self, report: TableReport, key: str) -> dict[str, int]:
        rows = report.periods[key]
        if key == self._keys[-1]:  # counts the records without `updated_at`, too
            rows += report.rows - report.periods.total()
        return {"rows": rows} if rows or report.mode != "sync" else {}

    def _partition_of(self, day: date) -> str:
        instant = datetime.combine(day, time(), UTC)
        return f"{floor_to_period(instant, self._dataset.connection.partitions):%Y-%m-%d}"

    def _recorded(self, table: Table, keys: Collection[str]) -> dict[str, int]:
        """Returns the row counts in the newest materializations of some partitions."""
        if not keys:
            return {}
        key = self._dataset.asset_key(table)
        kind = dg.DagsterEventType.ASSET_MATERIALIZATION
        newest = self._instance.get_latest_storage_id_by_partition(key, kind, set(keys))
        if not newest:
            return {}
        wanted = dg.AssetRecordsFilter(asset_key=key, storage_ids=list(newest.values()))
        found = self._instance.fetch_materializations(wanted, limit=len(newest)).records
        return dict(_counted(record.asset_materialization for record in found))

    def _count(self, table: Table, keys: Collection[str]) -> Mapping[str, int]:
        counts = dict.fromkeys(keys, 0)
        if keys:
            for day, rows in self._rows_by_day(table, keys).items():
                key = self._partition_of(day)
                if key in counts:
                    counts[key] += rows
        return counts

    def _rows_by_day(self, table: Table, keys: Collection[str]) -> Mapping[date, int]:
        windows = Coverage.of(map(self._window, keys)).windows
        with self._database.session(self._dataset.name, read_only=True) as session:
            return rows_by_day(session, table, windows) if table.name in session.tables() else {}

    def _window(self, key: str) -> Window:
        found = self._dataset.partitions.time_window_for_partition_key(key)
        return Window(found.start, found.end)


def _counted(
    materializations: Iterable[dg.AssetMaterialization | None],
) -> Iterable[tuple[str, int]]:
    for each in materializations:
        value = each.metadata.get(PARTITION_ROWS) if each else None
        if each and each.partition and value and isinstance(value.value, int):
            yield each.partition, value.value
