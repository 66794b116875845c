"""One customer as the history follows it: how it buys, how it pays, and what it owes."""

from dataclasses import dataclass, field
from typing import Any

from invoiced_emulator.seed.simulation.money import Number

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Split:
    """One use of a payment: the document or balance that the money goes to."""

    type: str
    amount: Number
    document: Record | None = None
    """The invoice or estimate that is paid, if any."""
    credit_note: Record | None = None


@dataclass(slots=True)
class Account:
    """A customer's record with the habits that its documents follow from."""

    record: Record
    size: str
    """`large`, `medium`, `small`, `subscriber`, `prospect` or `dormant`."""
    currency: str
    terms: str | None
    payment_habit: str
    """How it pays: `single`, `batch` (many invoices at once), `card` or `ach` (AutoPay)."""
    delay_days: int
    """Days after the due date on which it usually pays; negative is early."""
    tax_rate: Record | None
    shown: Record = field(default_factory=dict)
    """The record as answers and events show it."""
    credit: Number = 0
    """Credit balance as of the history's clock."""
    credit_changed_at: int = 0
    runs: dict[int, list[Split]] = field(default_factory=dict)
    """Payment runs to come of a customer who pays many invoices at once."""
    owed: list[tuple[int, Number]] = field(default_factory=list)
    """Due date and balance of each open invoice."""

    @property
    def id(self) -> int:
        """The customer's id."""
        return self.record["id"]

    @property
    def terms_days(self) -> int | None:
        """Days from the date of an invoice until it is due, None without terms."""
        return int(self.terms.removeprefix("NET ")) if self.terms else None
