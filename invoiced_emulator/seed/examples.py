"""One of each: every status and rare case occurs, however small the ledger is."""

from decimal import Decimal

from invoiced_emulator.seed.customers.contacts import add_contact
from invoiced_emulator.seed.customers.tasks import add_task
from invoiced_emulator.seed.documents.credit_notes import FATES as CREDIT_NOTE_FATES
from invoiced_emulator.seed.documents.credit_notes import issue_credit_note
from invoiced_emulator.seed.documents.estimates import FATES as ESTIMATE_FATES
from invoiced_emulator.seed.documents.estimates import issue_estimate
from invoiced_emulator.seed.documents.invoices import issue_invoice
from invoiced_emulator.seed.documents.line_items import draw_lines, line_item
from invoiced_emulator.seed.ledger.account import Account
from invoiced_emulator.seed.ledger.business_time import DAY, HOUR
from invoiced_emulator.seed.ledger.ledger import Ledger
from invoiced_emulator.seed.payments.transactions import adjust_credit

_INVOICES: tuple[tuple[int, str, str | None], ...] = (
    (2, "unpaid", "draft"),
    (3, "unpaid", "draft"),
    (30, "unpaid", "draft"),
    (2, "unpaid", "not_sent"),
    (2, "unpaid", "sent"),
    (5, "unpaid", "viewed"),
    (90, "unpaid", "sent"),
    (4, "pending", "sent"),
    (150, "paid", "sent"),
    (30, "voided", "sent"),
    (260, "written_off", "sent"),
    (170, "partly_paid", None),
    (171, "paid_twice", None),
    (172, "overpaid", None),
    (173, "overpaid", None),
    (174, "short_paid", None),
    (175, "credited", None),
    (176, "reversed_payment", None),
    (177, "refunded", None),
)
"""Age in days, outcome and delivery."""


def plan_examples(ledger: Ledger) -> None:
    """Plans one record of each kind of story, for the first customers in turn."""
    moment = ledger.now - 8 * HOUR
    for turn, (days, outcome, delivery) in enumerate(_INVOICES):
        ledger.at(moment - days * DAY, _invoice, ledger, turn, outcome, delivery)
    for turn, fate in enumerate(ESTIMATE_FATES):
        ledger.at(moment - 100 * DAY + turn * HOUR, _estimate, ledger, turn, fate)
    for turn, fate in enumerate(CREDIT_NOTE_FATES):
        ledger.at(moment - 80 * DAY + turn * HOUR, _credit_note, ledger, turn, fate)
    for turn in range(4):
        ledger.at(moment - 200 * DAY + turn * HOUR, _others, ledger, turn)
    ledger.at(moment - 60 * DAY, _extremes, ledger)


def _payer(ledger: Ledger, turn: int, terms: str | None = None) -> Account:
    """One of the customers who pay by hand, with these terms if anyone has them."""
    payers = [one for one in ledger.accounts[:60] if one.terms and one.record["active"]]
    payers = [one for one in payers if one.terms == terms] or payers
    return payers[turn % len(payers)]


def _invoice(ledger: Ledger, turn: int, outcome: str, delivery: str | None) -> None:
    account = _payer(ledger, turn, "NET 30" if outcome == "unpaid" else None)
    issue_invoice(ledger, account, outcome=outcome, delivery=delivery)


def _estimate(ledger: Ledger, turn: int, fate: str) -> None:
    issue_estimate(ledger, _payer(ledger, turn), fate)


def _credit_note(ledger: Ledger, turn: int, fate: str) -> None:
    issue_credit_note(ledger, _payer(ledger, turn), fate)


def _others(ledger: Ledger, turn: int) -> None:
    account = _payer(ledger, turn)
    adjust_credit(ledger, account)
    add_contact(ledger, account, primary=False)
    add_task(ledger, account)
    if account.credit > 0:
        issue_invoice(ledger, account, outcome="paid_from_credit")


def _extremes(ledger: Ledger) -> None:
    """The longest invoice, one without lines, and one with the finest numbers."""
    account = _payer(ledger, 0)
    issue_invoice(ledger, account, draw_lines(ledger, account, 60), outcome="paid")
    issue_invoice(ledger, account, [])
    price = Decimal("9876.5432109876")
    line = line_item(ledger, "Turbine rental", Decimal("12.0450000001"), price, account.currency)
    issue_invoice(ledger, account, [line], outcome="unpaid")
