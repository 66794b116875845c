"""What a run records of each partition of a table: the rows in it, and those that it read."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from types import TracebackType
from typing import Any, Self

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.defs.partitions import floor_to_period
from invoiced_pipeline.defs.replicated_dataset import ReplicatedDataset
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.warehouse.check_memory import TableMemory
from invoiced_pipeline.warehouse.database import Database, Session
from invoiced_pipeline.warehouse.partition_rows import rows_by_day
from invoiced_pipeline.windows import Coverage, Window

PARTITION_ROWS = "dagster/partition_row_count"

_FIRST_DAY = datetime(1970, 1, 1, tzinfo=UTC)


class PartitionCounts:
    """Counts the rows of partitions; a context, in which all tables share a session.

    The counts after a run are those before it, without the rows that it replaced and with those
    that it loaded. If any of these is not known, the table is counted.

    The UI plots the newest materialization of each partition. Without a row count in it, the
    partition would be missing from the plot. A partition that rows moved out of needs a new one.

    Args:
        database: The warehouse, after the load.
        dataset: Whose tables and partitions.
    """

    def __init__(self, database: Database, dataset: ReplicatedDataset) -> None:
        self._database = database
        self._dataset = dataset
        self._every_key = dataset.partitions.get_partition_keys()
        self._stack = ExitStack()
        self._session: Session | None = None

    def __enter__(self) -> Self:
        """Opens nothing yet: most syncs count no table."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes the session."""
        self._stack.close()

    def metadata(
        self,
        table: Table,
        report: TableReport,
        memory: TableMemory,
        keys: Sequence[str],
        *,
        is_counted: bool,
    ) -> dict[str, dict[str, Any]]:
        """Returns metadata of the run's partitions, and of others whose number of rows changed.

        Args:
            table: The table.
            report: What the run did to it.
            memory: The counts that were last recorded; they are replaced by those after the run.
            keys: The partitions that the run read, in order.
            is_counted: Whether these were the table's counts before the run.

        Raises:
            WarehouseError: The warehouse cannot be read.
        """
        recorded = memory.partitions
        counts = self._after(report, recorded) if is_counted else None
        if counts is None:
            counts = self._count(table, self._every_key)
        memory.partitions = {key: counts[key] for key in self._every_key}
        if recorded is None:  # no check has run yet
            changed = {self._partition_of(day) for day in report.replaced or () if day is not None}
        else:
            changed = {key for key in self._every_key if counts[key] != recorded.get(key)}
        return {
            key: {PARTITION_ROWS: counts[key], **_rows_read(report, key, keys[-1])}
            for key in self._every_key
            if key in keys or key in changed
        }

    def _after(
        self, report: TableReport, recorded: Mapping[str, int] | None
    ) -> Mapping[str, int] | None:
        """Returns the rows by partition after the run; None if the table must be counted."""
        is_unknown = report.arrived is None or report.replaced is None
        if recorded is None or report.mode == "full" or is_unknown:
            return None
        counts = Counter(dict.fromkeys(self._every_key, 0) | dict(recorded))
        for days, sign in ((report.arrived, 1), (report.replaced, -1)):
            for day, rows in (days or {}).items():
                key = None if day is None else self._partition_of(day)
                if key is not None and key in counts:
                    counts[key] += sign * rows
        return counts

    def _partition_of(self, day: int) -> str | None:
        """Returns the partition of a day since 1970; None if no calendar has it."""
        try:
            instant = _FIRST_DAY + timedelta(days=day)
        except OverflowError:
            return None
        return f"{floor_to_period(instant, self._dataset.connection.partitions):%Y-%m-%d}"

    def _count(self, table: Table, keys: Collection[str]) -> Mapping[str, int]:
        counts = dict.fromkeys(keys, 0)
        for day, rows in self._rows_by_day(table, keys).items():
            key = self._partition_of(day)
            if key in counts:
                counts[key] += rows
        return counts

    def _rows_by_day(self, table: Table, keys: Collection[str]) -> Mapping[int, int]:
        windows = Coverage.of(map(self._window, keys)).windows
        if self._session is None:
            opened = self._database.session(self._dataset.name, read_only=True)
            self._session = self._stack.enter_context(opened)
        if table.name not in self._session.tables():
            return {}
        return rows_by_day(self._session, table, windows)

    def _window(self, key: str) -> Window:
        found = self._dataset.partitions.time_window_for_partition_key(key)
        return Window(found.start, found.end)


def _rows_read(report: TableReport, key: str, newest: str) -> dict[str, int]:
    rows = report.periods[key]
    if key == newest:  # counts the records without `updated_at`, too
        rows += report.rows - report.periods.total()
    return {"rows": rows} if rows or report.mode != "sync" else {}
