"""Issuing an invoice: its lines, how it reaches the customer, and what becomes of it."""

from invoiced_emulator.seed.documents.invoice_outcomes import OUTCOMES
from invoiced_emulator.seed.documents.invoice_story import InvoiceStory, invoice_record
from invoiced_emulator.seed.documents.line_items import draw_lines
from invoiced_emulator.seed.ledger.account import Account, Record, Split
from invoiced_emulator.seed.ledger.business_time import DAY, HOUR, office_hours
from invoiced_emulator.seed.ledger.kinds import INVOICE
from invoiced_emulator.seed.ledger.ledger import Ledger
from invoiced_emulator.seed.payments.payments import Receipt, receive

_NAMES = tuple(OUTCOMES)
_WEIGHTS = tuple(weight for _, weight in OUTCOMES.values())


def issue_invoice(  # noqa: PLR0913  an invoice has that many terms
    ledger: Ledger,
    account: Account,
    lines: list[Record] | None = None,
    *,
    outcome: str | None = None,
    delivery: str | None = None,
    subscription: int | None = None,
    coupon: Record | None = None,
) -> Record:
    """Issues an invoice now, follows it to the end of the story, and hands it out."""
    if lines is None:
        lines = draw_lines(ledger, account)
    invoice = invoice_record(ledger, account, lines, subscription=subscription, coupon=coupon)
    if invoice["total"] <= 0:
        invoice |= _settled(ledger.clock)
        ledger.announce(INVOICE, "created", invoice, account)
        ledger.give("invoices", invoice)
        return invoice
    if outcome is None:
        outcome = _draw_outcome(ledger, account)
    story = InvoiceStory(account, invoice)
    _deliver(ledger, story, delivery)
    ledger.announce(INVOICE, "created", invoice, account)
    if delivery != "draft":
        OUTCOMES[outcome][0](ledger, story)
    ledger.give("invoices", story.record(ledger))
    return invoice


def _draw_outcome(ledger: Ledger, account: Account) -> str:
    outcome = ledger.random.choices(_NAMES, _WEIGHTS)[0]
    # Whoever pays in runs has a process: what is out of the ordinary happens less often.
    orderly = account.manner == "batch" and ledger.random.random() < 0.7
    return "paid" if orderly else outcome


def draft_and_delete(ledger: Ledger, account: Account) -> None:
    """A draft that is thrown away: only its events tell of it."""
    moment = office_hours(ledger.random, ledger.clock + HOUR)
    if moment > ledger.now:
        return
    invoice = invoice_record(ledger, account, draw_lines(ledger, account))
    invoice |= {"draft": True, "status": "draft"}
    ledger.announce(INVOICE, "created", invoice, account)
    ledger.at(moment, ledger.announce, INVOICE, "deleted", invoice, account)


def import_invoices(ledger: Ledger, accounts: list[Account], each: int) -> None:
    """Paid invoices of an acquired company, brought over with their payments in one second."""
    for account in accounts:
        splits = []
        for _ in range(each):
            invoice = invoice_record(ledger, account, draw_lines(ledger, account, 2))
            days_ago = 60 + ledger.random.randrange(140)
            date = ledger.clock - days_ago * DAY
            invoice |= {"date": date, "metadata": {"imported_from": "former system"}}
            invoice |= {"due_date": date + 30 * DAY, "payment_terms": "NET 30"}
            if invoice["total"] > 0:
                splits.append(Split("invoice", invoice["total"], invoice))
            invoice |= {
                **_settled(date + 28 * DAY),
                "amount_paid": invoice["total"],
                "balance": 0,
            }
            ledger.announce(INVOICE, "created", invoice, account)
            ledger.give("invoices", invoice)
        receive(ledger, account, Receipt(splits=tuple(splits), source="imported"))


def _settled(moment: int) -> Record:
    return {
        "paid": True,
        "closed": True,
        "status": "paid",
        "date_paid": moment,
        "payment_url": None,
    }


def _deliver(ledger: Ledger, story: InvoiceStory, delivery: str | None) -> None:
    """Most invoices are sent as they are issued, some later, a few never."""
    random = ledger.random
    invoice = story.invoice
    chance = random.random()
    if delivery == "draft" or (delivery is None and chance < 0.02):
        invoice |= {"draft": True, "status": "draft"}
        if delivery is None:
            story.step(ledger.clock + random.randrange(HOUR, 2 * HOUR), draft=False)
    elif delivery == "not_sent" or (delivery is None and chance < 0.08):
        return
    elif delivery is not None or chance < 0.85:
        invoice |= {"sent": True, "last_sent": ledger.clock, "status": "sent"}
    else:
        moment = ledger.clock + random.randrange(60, HOUR)
        story.step(moment, sent=True, last_sent=moment)
    if delivery == "viewed" or (delivery is None and random.random() < 0.3):
        moment = office_hours(random, ledger.clock + HOUR + random.randrange(2 * DAY))
        story.step(moment, "viewed", viewed=True)
