"""The kinds of seeded records."""

from dataclasses import dataclass

from invoiced_emulator.records.kinds import KINDS


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record: its name in events, its collection and where its ids begin."""

    name: str
    """First part of its event types, e.g. `invoice` in `invoice.created`."""
    collection: str
    first_id: int
    is_extra: bool = False
    """Whether `Simulation.extras` draws its numbers."""

    @property
    def hidden(self) -> frozenset[str]:
        """Fields that events do not show."""
        hidden = KINDS[self.collection].hidden
        # Lists hide applied_to, but the events of a payment show it.
        return hidden - {"applied_to"} if self.collection == "payments" else hidden


CUSTOMER = Kind("customer", "customers", 15_000)
INVOICE = Kind("invoice", "invoices", 46_000)
CREDIT_NOTE = Kind("credit_note", "credit_notes", 2_000)
ESTIMATE = Kind("estimate", "estimates", 8_000)
SUBSCRIPTION = Kind("subscription", "subscriptions", 590)
PAYMENT = Kind("payment", "payments", 32_000)
TRANSACTION = Kind("transaction", "transactions", 70_000)
# Events call an adjustment a transaction; only `object` in the snapshot tells them apart.
CREDIT_BALANCE_ADJUSTMENT = Kind("transaction", "credit_balance_adjustments", 70_000)
CONTACT = Kind("contact", "contacts", 10_400)
TASK = Kind("task", "tasks", 780)
CARD = Kind("payment_source", "cards", 400)
BANK_ACCOUNT = Kind("payment_source", "bank_accounts", 400)
PENDING_LINE = Kind("line_item", "line_items", 500_000)
PAYMENT_PLAN = Kind("payment_plan", "payment_plans", 60)
REFUND = Kind("refund", "refunds", 5_000)
NOTE = Kind("note", "notes", 500, is_extra=True)
CHARGE = Kind("charge", "charges", 46_000, is_extra=True)
