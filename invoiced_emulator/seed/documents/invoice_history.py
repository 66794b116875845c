"""Invoices: the record when issued, its status, and its later changes."""

from collections.abc import Iterator

from invoiced_emulator.seed.documents.documents import Content, document, draw_coupon, ship_to
from invoiced_emulator.seed.simulation.account import Account, Record
from invoiced_emulator.seed.simulation.business_time import DAY
from invoiced_emulator.seed.simulation.history import Step, advance
from invoiced_emulator.seed.simulation.kinds import INVOICE
from invoiced_emulator.seed.simulation.money import Number, exact
from invoiced_emulator.seed.simulation.simulation import Simulation

_BLANK: Record = {
    "object": "invoice",
    "paid": False,
    "status": "not_sent",
    "attempt_count": 0,
    "next_payment_attempt": None,
    "next_chase_on": None,
    "needs_attention": False,
    "late_fees": True,
    "payment_plan": None,
    "payment_source": None,
    "amount_paid": 0,
    "amount_credited": 0,
    "amount_written_off": 0,
    "date_paid": None,
    "date_bad_debt": None,
    "last_sent": None,
    "consolidated": False,
    "consolidated_invoice_id": None,
    "disabled_payment_methods": None,
    "expected_payment_date": None,
    "age": 0,
    "past_due_age": 0,
}

_NO_PAYMENT_PAGE = frozenset({"paid", "pending", "voided", "bad_debt"})


def invoice_record(
    simulation: Simulation,
    account: Account,
    lines: list[Record],
    subscription: Record | None = None,
) -> Record:
    """Returns an invoice as issued now, with the discount of its subscription, if any."""
    autopay = account.payment_habit in ("card", "ach")
    if subscription is None:
        coupon = draw_coupon(simulation, account)
    else:
        coupon = subscription["discounts"][0] if subscription["discounts"] else None
    subscription_id = subscription["id"] if subscription else None
    shared = document(simulation, account, INVOICE, Content(lines, coupon, account.tax_rate))
    days = account.terms_days
    return {
        **_BLANK,
        **shared,
        "id": simulation.next_id("invoice", INVOICE.first_id),
        "due_date": None if days is None else simulation.clock + days * DAY,
        "payment_terms": "AutoPay" if autopay else account.terms,
        "autopay": autopay,
        "chase": not autopay,
        "subscription_id": subscription_id,
        "subscription": subscription_id,
        "balance": shared["total"],
        "ship_to": ship_to(simulation, account),
        "payment_url": f"{shared['url']}/payment",
        "csv_url": f"{shared['url']}/csv",
        "collection_mode": "auto" if autopay else "manual",
        "tags": [],
    }


def _with_status(invoice: Record, steps: list[Step]) -> Iterator[Step]:
    """Yields the steps with the status and links that follow from them."""
    state = invoice
    for moment, change, fields in steps:
        state = {**state, **fields}
        if "status" not in fields:
            derived = _derived(state, moment)
            state |= derived
            yield moment, change, fields | derived
        else:
            yield moment, change, fields


def _derived(state: Record, moment: int) -> Record:
    """Returns status and links, which follow from the other fields."""
    status = _status(state, moment)
    fields: Record = {"status": status}
    if status in _NO_PAYMENT_PAGE:
        fields["payment_url"] = None
    elif state["url"]:
        fields["payment_url"] = f"{state['url']}/payment"
    return fields


def _status(state: Record, moment: int) -> str:
    if state["voided"]:
        return "voided"
    if state["draft"]:
        return "draft"
    if state["date_bad_debt"]:
        return "bad_debt"
    if state["paid"]:
        return "paid"
    if state["due_date"] is not None and state["due_date"] < moment:
        return "past_due"
    if state["viewed"]:
        return "viewed"
    return "sent" if state["sent"] else "not_sent"


class InvoiceHistory:
    """The changes of an invoice, from which its record of today follows."""

    def __init__(self, account: Account, invoice: Record) -> None:
        self.account = account
        self.invoice = invoice
        self.pending_since: int | None = None
        self._paid: Number = 0
        self._credited: Number = 0
        self._steps: list[Step] = []

    @property
    def due(self) -> int:
        """When payment is expected: the due date, or the date without terms."""
        return self.invoice["due_date"] or self.invoice["date"]

    @property
    def balance(self) -> Number:
        """The balance after the steps so far."""
        return exact(self.invoice["total"] - self._paid - self._credited)

    def step(self, moment: int, change: str = "updated", **fields: object) -> None:
        """Plans a change of the record."""
        self._steps.append((moment, change, fields))

    def paid(self, moment: int, amount: Number) -> None:
        """Plans a payment; a negative amount reverses one."""
        self._paid += amount
        self._settle(moment, amount_paid=exact(self._paid))

    def credited(self, moment: int, amount: Number, **fields: object) -> None:
        """Plans a credit: a credit note or an adjustment of the document."""
        self._credited += amount
        self._settle(moment, amount_credited=exact(self._credited), **fields)

    def _settle(self, moment: int, **fields: object) -> None:
        settled = self.balance <= 0
        self.step(
            moment,
            "paid" if settled and "date_bad_debt" not in fields else "updated",
            balance=self.balance,
            paid=settled and "date_bad_debt" not in fields,
            closed=settled,
            date_paid=moment if settled and "date_bad_debt" not in fields else None,
            next_payment_attempt=None,
            **fields,
        )

    def void(self, moment: int) -> None:
        """Plans that the invoice is voided: its balance is 0 and its links are gone."""
        self.step(
            moment,
            balance=0,
            voided=True,
            date_voided=moment,
            url=None,
            pdf_url=None,
            csv_url=None,
            payment_url=None,
        )

    def pending(self, moment: int) -> None:
        """Plans a payment that the bank has not confirmed."""
        self.pending_since = moment
        self.step(moment, status="pending", payment_url=None)

    def record(self, simulation: Simulation) -> Record:
        """Returns the invoice as of now, and plans its events."""
        due = self.invoice["due_date"]
        # Invoiced checks due dates every minute; paid and voided invoices do not change.
        if due is not None and (self.pending_since is None or due < self.pending_since):
            self.step(due + 60)
        steps = sorted(self._steps, key=lambda step: step[0])
        steps = _with_status(self.invoice, steps)
        final = advance(simulation, INVOICE, self.invoice, steps, account=self.account)
        if final["balance"] > 0 and not final["draft"]:
            self.account.owed.append((due or final["date"], final["balance"]))
            final = {**final, "age": (simulation.now - final["date"]) // DAY}
            final["past_due_age"] = max(0, (simulation.now - due) // DAY) if due else 0
        return final
