"""Credit notes: issued for an invoice and applied to it, or standing on their own."""

from decimal import Decimal

from invoiced_emulator.seed.documents.documents import document, voided
from invoiced_emulator.seed.documents.line_items import draw_lines, line_item
from invoiced_emulator.seed.ledger.account import Account, Record, Split
from invoiced_emulator.seed.ledger.business_time import DAY, HOUR, MINUTE
from invoiced_emulator.seed.ledger.history import Step, advance
from invoiced_emulator.seed.ledger.kinds import CREDIT_NOTE
from invoiced_emulator.seed.ledger.ledger import Ledger
from invoiced_emulator.seed.ledger.money import Number, converted
from invoiced_emulator.seed.payments.payments import Receipt, receive

APPLIED_AFTER = 5 * MINUTE
"""Between issuing a credit note for an invoice and applying it."""

FATES = ("open", "balance", "closed", "voided", "draft", "deleted")
"""What can become of a credit note without an invoice."""


def credit_invoice(
    ledger: Ledger, account: Account, invoice: Record, amount: Number, title: str
) -> None:
    """A credit note over an amount of an invoice, applied to it a few minutes later."""
    line = line_item(ledger, f"{title} {invoice['number']}", 1, amount, account.currency)
    note = _credit_note(ledger, account, [line], title=title, tax_rate=None)
    note["invoice"] = invoice["id"]
    moment = ledger.clock + APPLIED_AFTER
    split = Split("credit_note", amount, invoice, note)
    steps = [(moment, "updated", _used_up(note, "amount_applied_to_invoice"))]
    ledger.at(moment, receive, ledger, account, Receipt(splits=(split,)))
    _tell(ledger, account, note, steps)


def issue_credit_note(ledger: Ledger, account: Account, fate: str | None = None) -> None:
    """A credit note that no invoice asked for."""
    random = ledger.random
    if fate is None:
        fate = random.choices(FATES, (10, 6, 2, 2, 1, 1))[0]
    amount = converted(Decimal(random.randrange(500, 20_000)) / 100, account.currency)
    lines = draw_lines(ledger, account, 1 + random.randrange(3)) if fate != "balance" else []
    if not lines:
        lines = [line_item(ledger, "Returned goods", 1, amount, account.currency)]
    note = _credit_note(ledger, account, lines, tax_rate=account.tax_rate)
    moment = ledger.clock + random.randrange(HOUR, 6 * DAY)
    steps: list[Step] = []
    if fate == "balance":
        split = Split("credit_note", note["total"], None, note)
        ledger.at(moment, receive, ledger, account, Receipt(splits=(split,)))
        steps.append((moment, "updated", _used_up(note, "amount_credited")))
    elif fate == "closed":
        steps.append((moment, "updated", {"closed": True, "status": "closed"}))
    elif fate == "voided":
        steps.append((moment, "updated", {"balance": 0} | voided(moment)))
    elif fate == "draft":
        note |= {"draft": True, "status": "draft"}
    elif fate == "deleted" and moment <= ledger.now:
        ledger.announce(CREDIT_NOTE, "created", note, account)
        ledger.at(moment, ledger.announce, CREDIT_NOTE, "deleted", note, account)
        return
    _tell(ledger, account, note, steps)


def _tell(ledger: Ledger, account: Account, note: Record, steps: list[Step]) -> None:
    ledger.announce(CREDIT_NOTE, "created", note, account)
    ledger.give("credit_notes", advance(ledger, CREDIT_NOTE, note, steps, account=account))


def _used_up(note: Record, use: str) -> Record:
    return {"balance": 0, "paid": True, "closed": True, "status": "paid", use: note["total"]}


def _credit_note(
    ledger: Ledger,
    account: Account,
    lines: list[Record],
    *,
    title: str = "Credit Note",
    tax_rate: Record | None,
) -> Record:
    shared = document(
        ledger,
        account,
        lines,
        title=title,
        collection="credit_notes",
        number=ledger.next_number("CN"),
        tax_rate=tax_rate,
    )
    return {
        **shared,
        "id": ledger.next_id("credit_note", CREDIT_NOTE.first_id),
        "object": "credit_note",
        "invoice": None,
        "paid": False,
        "status": "open",
        "balance": shared["total"],
        "amount_applied_to_invoice": 0,
        "amount_credited": 0,
        "amount_refunded": 0,
    }
