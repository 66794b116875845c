"""What a run says of each partition of a table: the rows in it, and those that it read."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from typing import Any

import dagster as dg

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.defs.names import asset_key
from invoiced_pipeline.defs.partitions import floor_to_period
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.settings import ConnectionSettings
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.windows import Coverage, Window

PARTITION_ROWS = "dagster/partition_row_count"


class PartitionFigures:
    """Counts the partitions that a run touched, and repeats what is known of its others.

    The UI plots the newest materialisation of each partition. So one that says nothing of its rows
    would take the partition out of the plot, and a partition that rows left needs one, too.

    Args:
        instance: Where materialisations are recorded.
        database: The warehouse, after the load.
        connection: Whose tables.
        partitions: The grid.
        keys: The run's partitions, in order.
    """

    def __init__(
        self,
        instance: dg.DagsterInstance,
        database: Database,
        connection: ConnectionSettings,
        partitions: dg.TimeWindowPartitionsDefinition,
        keys: Sequence[str],
    ) -> None:
        self._instance = instance
        self._database = database
        self._connection = connection
        self._partitions = partitions
        self._grid = partitions.get_partition_keys()
        self._keys = keys

    def of(self, table: Table, report: TableReport) -> dict[str, dict[str, Any]]:
        """Metadata by partition: of all of the run's, and of others whose number of rows changed.

        Raises:
            WarehouseError: The warehouse cannot be read.
        """
        touched = self._touched(report)
        recorded = self._recorded(table, set(self._keys) - touched | touched - set(self._keys))
        unknown = set(self._keys) - touched - recorded.keys()
        counts = {**recorded, **self._count(table, touched | unknown)}
        figures: dict[str, dict[str, Any]] = {}
        for key in self._grid:
            is_own = key in self._keys
            if is_own or (key in touched and counts[key] != recorded.get(key)):
                figures[key] = {PARTITION_ROWS: counts[key], **self._rows_read(report, key)}
        return figures

    def _touched(self, report: TableReport) -> set[str]:
        """The partitions that rows came into, or left; all where that is not known."""
        is_removed = report.deleted and self._connection.deletions == "remove"
        is_unknown = report.rows and report.replaced_days is None
        if report.mode == "full" or is_removed or is_unknown:
            return set(self._grid)
        left = (self._partition_of(day) for day in report.replaced_days or ())
        touched = {*report.periods, *left} & set(self._grid)
        return touched if report.mode == "sync" else touched | set(self._keys)

    def _rows_read(self, report: TableReport, key: str) -> dict[str, int]:
        rows = report.periods[key]
        if key == self._keys[-1]:  # it takes records without `updated_at`
            rows += report.rows - report.periods.total()
        return {"rows": rows} if rows or report.mode != "sync" else {}

    def _partition_of(self, day: date) -> str:
        instant = datetime.combine(day, time(), UTC)
        return f"{floor_to_period(instant, self._connection.partitions):%Y-%m-%d}"

    def _recorded(self, table: Table, keys: Collection[str]) -> dict[str, int]:
        """Rows of some partitions as their newest materialisations have them."""
        if not keys:
            return {}
        key = asset_key(self._connection.dataset, table)
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
        from invoiced_pipeline.warehouse.partition_rows import rows_by_day

        windows = Coverage.of(map(self._window, keys)).windows
        with self._database.session(self._connection.dataset, read_only=True) as session:
            return rows_by_day(session, table, windows) if table.name in session.tables() else {}

    def _window(self, key: str) -> Window:
        found = self._partitions.time_window_for_partition_key(key)
        return Window(found.start, found.end)


def _counted(
    materializations: Iterable[dg.AssetMaterialization | None],
) -> Iterable[tuple[str, int]]:
    for each in materializations:
        value = each.metadata.get(PARTITION_ROWS) if each else None
        if each and each.partition and value and isinstance(value.value, int):
            yield each.partition, value.value
