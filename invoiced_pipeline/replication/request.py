"""The request of a run: what to replicate."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

from invoiced_pipeline.catalog import TABLE_NAMES, Table
from invoiced_pipeline.invoiced.reading.per_parent import Visits
from invoiced_pipeline.replication.partial_read import PartialRead
from invoiced_pipeline.replication.partial_visit import PartialVisit
from invoiced_pipeline.replication.report import Mode
from invoiced_pipeline.selection.privacy import Privacy
from invoiced_pipeline.settings import Cadence
from invoiced_pipeline.windows import FIRST_SECOND, FOREVER, Coverage, Window, from_epoch


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationRequest:
    """What one run replicates.

    Attributes:
        tables: Which tables, as the connection selects them.
        mode: Which of their records.
        start_date: Records updated before it (UTC) are left out.
        window: The chosen partitions; used in mode `window` only.
        overlap: How far a sync reaches back behind the end of the coverage.
        cadence: Size of a partition.
        connection: Name of the connection, which the dataset remembers.
        host: Host that the records come from, which the dataset remembers.
        run_id: The Dagster run, for `_rejected`.
        selected: Names of all tables that the connection selects, in this run or not.
        privacy: What is hashed and dropped.
        reject_share: The share of a table's records above which rejects make the run fail.
        default_start: The default start date (UTC), which the dataset remembers; None if the
            settings name a start date.
    """

    tables: tuple[Table, ...]
    mode: Mode
    start_date: datetime
    window: Window | None = None
    overlap: timedelta = timedelta(minutes=5)
    cadence: Cadence = "monthly"
    connection: str
    host: str
    run_id: str = ""
    selected: frozenset[str] = frozenset(TABLE_NAMES)
    privacy: Privacy = field(default_factory=Privacy)
    reject_share: float = 0.01
    default_start: date | None = None

    def start_of(self, table: Table) -> datetime:
        """Returns the instant (UTC) from which on records of `table` are wanted."""
        expired = self.expired(table)
        return self.start_date if expired is None else max(self.start_date, expired.end)

    def expired(self, table: Table) -> Window | None:
        """Returns the window whose rows of `table` are not kept; None if all are kept."""
        if table.retention_days is None:
            return None
        today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        oldest = from_epoch(FIRST_SECOND)
        return Window(oldest, max(oldest, today - timedelta(days=table.retention_days)))

    def mode_of(self, table: Table) -> Mode:
        """Returns how `table` is read: a sync reads all of a table whose method is `full`."""
        return "full" if self.mode == "sync" and table.method == "full" else self.mode

    def visits(
        self,
        table: Table,
        coverage: Coverage,
        partial: PartialVisit | None,
        rejects: Mapping[str, int],
    ) -> Visits:
        """Returns which parents of `table` to ask, if the API lists it per parent.

        Args:
            table: Which table.
            coverage: Its coverage.
            partial: How far its first read got, if that ended early.
            rejects: Parents of records that fitted no column, by the records' ids.
        """
        windows, everything = self.windows(table, coverage), Window(self.start_date, FOREVER)
        every = Visits(also=frozenset(rejects.values()), kept=frozenset(rejects))
        if table.parent is None or self.mode_of(table) != "sync" or not windows:
            return every
        if coverage.until is not None and windows[0].start >= coverage.until - self.overlap:
            return replace(every, since=windows[0].start, wanted=(everything,))
        is_first = coverage.until is None
        if is_first and partial is not None and from_epoch(partial.start) <= everything.start:
            since = from_epoch(partial.at) - self.overlap
            return replace(every, since=since, after=partial.after, wanted=(everything,))
        return every

    def windows(
        self, table: Table, coverage: Coverage, partial: PartialRead | None = None
    ) -> tuple[Window, ...]:
        """Returns the windows of `table` to read.

        Args:
            table: Which table.
            coverage: Its coverage.
            partial: How far its first read got, if that ended early.
        """
        everything, mode = Window(self.start_of(table), FOREVER), self.mode_of(table)
        if mode == "sync":
            missing = Coverage(coverage.missing(everything, self.overlap))
            for window in partial.coverage.windows if partial is not None else ():
                missing = missing.remove(window)
            return missing.windows
        if mode == "full" or self.window is None:
            return (everything,)
        wanted = self.window.intersect(everything)
        return () if wanted.is_empty else (wanted,)
