"""A customer with its habits and balances."""

from dataclasses import dataclass, field
from typing import Any

from invoiced_emulator.seed.simulation.money import Number

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Split:
    """A part of a payment, and the document or balance that it goes to."""

    type: str
    amount: Number
    document: Record | None = None
    """The invoice or estimate that is paid, if any."""
    credit_note: Record | None = None


@dataclass(slots=True)
class Account:
    """A customer's record, and the habits that decide about its documents."""

    record: Record
    size: str
    """`large`, `medium`, `small`, `subscriber`, `prospect` or `dormant`."""
    currency: str
    terms: str | None
    payment_habit: str
    """`single` (one by one), `batch` (many invoices at once), `card` or `ach` (AutoPay)."""
    delay_days: int
    """Days after the due date when it usually pays; negative before it."""
    tax_rate: Record | None
    shown: Record = field(default_factory=dict)
    """The record as responses and events show it."""
    credit: Number = 0
    """Current credit balance."""
    credit_changed_at: int = 0
    runs: dict[int, list[Split]] = field(default_factory=dict)
    """Planned payment runs, by time."""
    owed: list[tuple[int, Number]] = field(default_factory=list)
    """Due date and balance of each open invoice."""

    @property
    def id(self) -> int:
        """The customer's id."""
        return self.record["id"]

    @property
    def terms_days(self) -> int | None:
        """Days until an invoice is due; None without terms."""
        return int(self.terms.removeprefix("NET ")) if self.terms else None
