"""What a run is asked to replicate."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from invoiced_pipeline.catalog import TABLE_NAMES, Table
from invoiced_pipeline.replication.report import Mode
from invoiced_pipeline.selection.privacy import Privacy
from invoiced_pipeline.settings import Cadence
from invoiced_pipeline.windows import FOREVER, Coverage, Window


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicationRequest:
    """One run's order.

    Attributes:
        tables: Which tables, as the connection has them.
        mode: Which of their records.
        start_date: Records updated before it (UTC) are left out.
        window: The partitions that were asked for; only counts in mode `window`.
        overlap: How far a sync reaches back behind the last one.
        cadence: Size of a partition.
        connection: Name of the connection, remembered by the dataset.
        host: Host that the dataset's records come from, remembered by the dataset.
        run_id: Whose run it is, for `_rejected`.
        selected: Names of all tables that the connection selects, in this run or in another.
        privacy: What of the connection's records must not be seen.
        reject_share: Rejects above this share of a table's records read make the run fail.
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

    def mode_of(self, table: Table) -> Mode:
        """How `table` is read: a sync reads the whole of one whose method is `full`."""
        return "full" if self.mode == "sync" and table.method == "full" else self.mode

    def windows(self, table: Table, coverage: Coverage) -> tuple[Window, ...]:
        """What is to be read of `table`, of which this is covered."""
        everything, mode = Window(self.start_date, FOREVER), self.mode_of(table)
        if mode == "sync":
            return coverage.missing(everything, self.overlap)
        if mode == "full" or self.window is None:
            return (everything,)
        wanted = self.window.intersect(everything)
        return () if wanted.is_empty else (wanted,)
