"""The request of a run: what to replicate."""

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from invoiced_pipeline.catalog import TABLE_NAMES, Table
from invoiced_pipeline.replication.report import Mode
from invoiced_pipeline.selection.privacy import Privacy
from invoiced_pipeline.settings import Cadence
from invoiced_pipeline.windows import FOREVER, Coverage, Window


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

    def mode_of(self, table: Table) -> Mode:
        """Returns how `table` is read: a sync reads all of a table whose method is `full`."""
        return "full" if self.mode == "sync" and table.method == "full" else self.mode

    def windows(self, table: Table, coverage: Coverage) -> tuple[Window, ...]:
        """Returns the windows of `table` to read, given its coverage."""
        everything, mode = Window(self.start_date, FOREVER), self.mode_of(table)
        if mode == "sync":
            return coverage.missing(everything, self.overlap)
        if mode == "full" or self.window is None:
            return (everything,)
        wanted = self.window.intersect(everything)
        return () if wanted.is_empty else (wanted,)
