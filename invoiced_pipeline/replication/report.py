"""What one run did to one table: the counts behind metadata, logs and summaries."""

# pyarrow creates its compute functions at import, where a type checker does not see them.
# pyright: reportAttributeAccessIssue=false

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Literal

from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.settings import Cadence
from invoiced_pipeline.windows import FIRST_SECOND, LAST_SECOND, Coverage, Window

if TYPE_CHECKING:
    import pyarrow as pa

Mode = Literal["sync", "window", "full"]
"""`sync` reads what is not covered yet, `window` one window again, `full` all records."""

_PERIOD: dict[Cadence, str] = {"monthly": "month", "weekly": "week", "daily": "day"}


@dataclass(slots=True)
class TableReport:
    """Counts of one table in one run, filled during the run.

    Attributes:
        table: Its name.
        mode: How it is read.
        windows: The windows to read.
        covered: The parts of them that were read completely, with those of an earlier run whose
            first read of the table ended early.
        coverage_before: The dataset's coverage when the run began.
        coverage: The coverage when the table was read; unchanged if that failed.
        rows: Records loaded.
        committed_rows: Those in packages that are committed.
        is_committed: Whether the package in which the table ended is committed.
        pages: Pages read.
        parents: Parents asked so far, if the API lists the table per parent.
        expected_parents: How many are to be asked; None while that is not known.
        tally: Requests, retries and waiting.
        rejected: Records that fit no column.
        deleted: Rows marked as deleted, or removed.
        seconds: From the first request to the last row handed to the load.
        typing_seconds: The part of it spent on typing records and converting them to Arrow.
        periods: Records loaded, by partition key.
        arrived: Rows loaded, by the day (since 1970) of their last change; None if that is not
            known, because there are many.
        replaced: The rows that these replace, by the day of their last change; None if they were
            not looked up.
        brought: New rows that the sweep after a full refresh has loaded.
        rows_before: The table's rows before the load; None if they were not counted.
        was_unavailable: Whether the account did not have the table at the last read.
        gaps: Columns and arrays that some of the table's rows were loaded without, by selection.
        warning: Why deletions of the table may be unknown; None if all are known.
        error: Why the table is not complete; None if it is complete or unavailable.
        unavailable: The API's refusal, if the account does not have the table; else None.
        cause: The error in words that other tables share; None if it is this table's own.
        reason: The name of the error's class.
        alarm: Why a person should look although the table is complete; the run fails with it.
        started_at: When its reading began (UTC).
        finished_at: When the last row was handed to the load (UTC).
    """

    table: str
    mode: Mode
    windows: tuple[Window, ...] = ()
    covered: tuple[Window, ...] = ()
    coverage_before: Coverage = field(default_factory=Coverage)
    coverage: Coverage = field(default_factory=Coverage)
    rows: int = 0
    committed_rows: int = 0
    is_committed: bool = False
    pages: int = 0
    parents: int = 0
    expected_parents: int | None = None
    tally: Tally = field(default_factory=Tally)
    deleted: int = 0
    rejected: int = 0
    seconds: float = 0.0
    typing_seconds: float = 0.0
    periods: Counter[str] = field(default_factory=Counter)
    arrived: Counter[int | None] | None = None
    replaced: Counter[int | None] | None = None
    brought: int = 0
    rows_before: int | None = None
    was_unavailable: bool = False
    gaps: frozenset[str] = frozenset()
    warning: str | None = None
    error: str | None = None
    unavailable: str | None = None
    cause: str | None = None
    reason: str | None = None
    alarm: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None

    @property
    def is_complete(self) -> bool:
        """Whether all windows of the table have been read."""
        return not self.error and not self.unavailable

    @property
    def new_rows(self) -> int | None:
        """Rows that were not in the table before; None if that is not known."""
        if self.arrived is None or self.replaced is None:
            return None
        return self.arrived.total() - self.replaced.total() + self.brought

    def count_periods(self, updated_at: "pa.ChunkedArray", cadence: Cadence) -> None:
        """Counts records by the partition that holds their `updated_at`.

        Args:
            updated_at: Instants, or epoch seconds if the column is declared so.
            cadence: Size of a partition; weeks begin on Sunday, as in Dagster.
        """
        import pyarrow as pa
        import pyarrow.compute as pc

        if pa.types.is_integer(updated_at.type):
            has_year = pc.and_(
                pc.greater_equal(updated_at, FIRST_SECOND), pc.less_equal(updated_at, LAST_SECOND)
            )
            updated_at = pc.filter(updated_at, has_year)
            updated_at = pc.multiply(updated_at, 1_000_000).cast(pa.timestamp("us", tz="UTC"))
        floored = pc.floor_temporal(
            updated_at, unit=_PERIOD[cadence], week_starts_monday=False
        ).cast(pa.date32())
        for entry in pc.value_counts(floored).to_pylist():
            if entry["values"] is not None:
                self.periods[entry["values"].isoformat()] += entry["counts"]
