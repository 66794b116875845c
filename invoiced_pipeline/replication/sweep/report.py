"""What a sweep did to one table."""

from dataclasses import dataclass, field
from datetime import datetime

from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.windows import Coverage


@dataclass(slots=True)
class SweepReport:
    """What a sweep did to one table.

    Attributes:
        table: Its name.
        listed: Ids that the API lists.
        rows: Rows in the warehouse that were not marked before.
        deleted: Rows marked or removed.
        brought: Records loaded because the warehouse lacked them, or had them under a customer
            that is gone.
        tally: Requests, retries and waiting.
        started_at: When the comparison began (UTC); None if it never did.
        seconds: How long the comparison took.
        coverage: The dataset's coverage of the table, which a sweep does not change.
        error: Why the table was left as it was, or not completed; None if it is complete.
        unavailable: The API's refusal, if the account does not have the table; else None.
        cause: The error in words that other tables share; None if it is this table's own.
        reason: The name of the error's class.
    """

    table: str
    listed: int = 0
    rows: int = 0
    deleted: int = 0
    brought: int = 0
    tally: Tally = field(default_factory=Tally)
    started_at: datetime | None = None
    seconds: float = 0.0
    coverage: Coverage = field(default_factory=Coverage)
    error: str | None = None
    unavailable: str | None = None
    cause: str | None = None
    reason: str | None = None
