"""What becomes of an invoice: paid in one of many ways, left open, voided or written off."""

from collections.abc import Callable

from invoiced_emulator.seed.documents.credit_notes import APPLIED_AFTER, credit_invoice
from invoiced_emulator.seed.documents.invoice_story import InvoiceStory
from invoiced_emulator.seed.documents.payment_habits import (
    charge_automatically,
    pay,
    pay_in_run,
    payday,
)
from invoiced_emulator.seed.ledger.account import Split
from invoiced_emulator.seed.ledger.business_time import DAY, HOUR, office_hours
from invoiced_emulator.seed.ledger.ledger import Ledger
from invoiced_emulator.seed.ledger.money import Number, share
from invoiced_emulator.seed.payments.payment_sources import payment_source
from invoiced_emulator.seed.payments.payments import Receipt, receive

Outcome = Callable[[Ledger, InvoiceStory], None]


def unpaid(ledger: Ledger, story: InvoiceStory) -> None:
    """Nobody pays."""


def paid(ledger: Ledger, story: InvoiceStory) -> None:
    """Paid in full, in the customer's manner."""
    manner = story.account.manner
    if manner in ("card", "ach"):
        charge_automatically(ledger, story)
    elif manner == "batch":
        pay_in_run(ledger, story)
    else:
        pay(ledger, story, payday(ledger, story), story.balance)


def partly_paid(ledger: Ledger, story: InvoiceStory) -> None:
    """A first payment, and then nothing."""
    pay(ledger, story, payday(ledger, story), _part(story, 30 + ledger.random.randrange(50)))


def paid_twice(ledger: Ledger, story: InvoiceStory) -> None:
    """Paid in two parts."""
    first = payday(ledger, story)
    pay(ledger, story, first, _part(story, 50))
    if story.balance > 0:
        pay(ledger, story, office_hours(ledger.random, first + 20 * DAY), story.balance)


def overpaid(ledger: Ledger, story: InvoiceStory) -> None:
    """Too much is paid; the rest becomes credit, or stays unapplied."""
    extra = share(max(story.balance, 1), 10, story.account.currency)
    if not extra:
        paid(ledger, story)
    elif ledger.random.random() < 0.5:
        split = Split("credit", extra)
        pay(ledger, story, payday(ledger, story), story.balance, extra=(split,))
    else:
        pay(ledger, story, payday(ledger, story), story.balance, unapplied=extra)


def short_paid(ledger: Ledger, story: InvoiceStory) -> None:
    """The bank kept a small fee, which is written off with the payment."""
    fee = share(story.balance, 1, story.account.currency)
    if not fee:
        paid(ledger, story)
        return
    moment = payday(ledger, story)
    adjustment = Split("document_adjustment", fee, story.invoice)
    story.credited(moment, fee)
    pay(ledger, story, moment, story.balance, extra=(adjustment,))


def credited(ledger: Ledger, story: InvoiceStory) -> None:
    """Part of it is credited, the rest is paid."""
    amount = _part(story, 20 if ledger.random.random() < 0.8 else 100)
    moment = office_hours(ledger.random, ledger.clock + 3 * DAY)
    ledger.at(moment, credit_invoice, ledger, story.account, story.invoice, amount, "Credit Note")
    story.credited(moment + APPLIED_AFTER, amount)
    if story.balance > 0:
        pay(ledger, story, max(payday(ledger, story), moment + HOUR), story.balance)


def paid_from_credit(ledger: Ledger, story: InvoiceStory) -> None:
    """The customer's credit balance is used first."""
    account = story.account
    amount = min(account.credit, story.balance)
    if amount > 0:
        split = Split("applied_credit", amount, story.invoice)
        # At once, so that nothing else can spend the same credit in between.
        receive(ledger, account, Receipt(splits=(split,)))
        story.paid(ledger.clock, amount)
    if story.balance > 0:
        paid(ledger, story)


def voided(ledger: Ledger, story: InvoiceStory) -> None:
    """Issued by mistake."""
    story.void(office_hours(ledger.random, ledger.clock + DAY))


def written_off(ledger: Ledger, story: InvoiceStory) -> None:
    """Given up months later by a credit note called Bad Debt."""
    amount = story.balance
    moment = office_hours(ledger.random, story.due + 90 * DAY)
    ledger.at(moment, credit_invoice, ledger, story.account, story.invoice, amount, "Bad Debt")
    applied = moment + APPLIED_AFTER
    story.credited(applied, amount, date_bad_debt=applied, amount_written_off=amount)


def reversed_payment(ledger: Ledger, story: InvoiceStory) -> None:
    """The first payment bounces and is voided; a second one arrives."""
    amount = story.balance
    first = payday(ledger, story)
    void_at = office_hours(ledger.random, first + 2 * DAY)
    pay(ledger, story, first, amount, void_at=void_at)
    story.paid(void_at, -amount)
    pay(ledger, story, office_hours(ledger.random, void_at + 9 * DAY), amount)


def refunded(ledger: Ledger, story: InvoiceStory) -> None:
    """Paid by card; a part is refunded, and a credit note squares the invoice."""
    account = story.account
    moment = payday(ledger, story)
    refund_at = office_hours(ledger.random, moment + 5 * DAY)
    amount, refund = story.balance, _part(story, 25)
    source = payment_source(ledger, "card", account.id, account.record["name"])
    receipt = Receipt(
        splits=(Split("invoice", amount, story.invoice),),
        method="credit_card",
        source="virtual_terminal",
        charged=source,
        refund_at=refund_at,
        refund=refund,
    )
    ledger.at(moment, receive, ledger, account, receipt)
    story.paid(moment, amount)
    story.paid(refund_at, -refund)
    ledger.at(
        refund_at + HOUR, credit_invoice, ledger, account, story.invoice, refund, "Credit Note"
    )
    story.credited(refund_at + HOUR + APPLIED_AFTER, refund)


def pending(ledger: Ledger, story: InvoiceStory) -> None:
    """Paid by bank transfer that has not cleared yet; only shortly before now."""
    account = story.account
    moment = max(ledger.clock + HOUR, ledger.now - 2 * DAY)
    source = payment_source(ledger, "ach", account.id, account.record["name"])
    receipt = Receipt(
        splits=(Split("invoice", story.balance, story.invoice),),
        method="ach",
        source="customer_portal",
        charged=source,
        status="pending",
    )
    ledger.at(moment, receive, ledger, account, receipt)
    story.pending(moment)


def _part(story: InvoiceStory, percent: int) -> Number:
    return share(story.balance, percent, story.account.currency) or story.balance


OUTCOMES: dict[str, tuple[Outcome, int]] = {
    "paid": (paid, 690),
    "unpaid": (unpaid, 60),
    "partly_paid": (partly_paid, 30),
    "paid_twice": (paid_twice, 30),
    "overpaid": (overpaid, 20),
    "short_paid": (short_paid, 15),
    "credited": (credited, 35),
    "paid_from_credit": (paid_from_credit, 40),
    "voided": (voided, 30),
    "written_off": (written_off, 15),
    "reversed_payment": (reversed_payment, 15),
    "refunded": (refunded, 15),
    "pending": (pending, 0),
}
"""Each outcome with how often, of a thousand, it happens."""
