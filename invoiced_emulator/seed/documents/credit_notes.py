"""Credit notes: applied to an invoice, or independent of one."""

from decimal import Decimal

from invoiced_emulator.seed.documents.documents import Content, document, voided
from invoiced_emulator.seed.documents.line_items import draw_lines, line_item
from invoiced_emulator.seed.payments.payments import Receipt, receive
from invoiced_emulator.seed.simulation.account import Account, Record, Split
from invoiced_emulator.seed.simulation.business_time import DAY, HOUR, MINUTE
from invoiced_emulator.seed.simulation.history import Step, advance
from invoiced_emulator.seed.simulation.kinds import CREDIT_NOTE
from invoiced_emulator.seed.simulation.money import Number, converted
from invoiced_emulator.seed.simulation.simulation import Simulation

APPLIED_AFTER = 5 * MINUTE
"""Seconds between issuing a credit note and applying it to its invoice."""

OUTCOMES = ("open", "balance", "closed", "voided", "draft", "deleted")
"""Outcomes of a credit note without an invoice."""


def credit_invoice(
    simulation: Simulation, account: Account, invoice: Record, amount: Number, title: str
) -> None:
    """Issues a credit note for an invoice and applies it a few minutes later."""
    line = line_item(simulation, f"{title} {invoice['number']}", 1, amount, account.currency)
    note = _credit_note(simulation, account, Content([line])) | {"name": title}
    note["invoice"] = invoice["id"]
    moment = simulation.clock + APPLIED_AFTER
    split = Split("credit_note", amount, invoice, note)
    steps = [(moment, "updated", _used_up(note, "amount_applied_to_invoice"))]
    simulation.at(moment, receive, simulation, account, Receipt(splits=(split,)))
    _emit(simulation, account, note, steps)


def issue_credit_note(simulation: Simulation, account: Account, outcome: str | None = None) -> None:
    """Issues a credit note without an invoice."""
    random = simulation.random
    if outcome is None:
        outcome = random.choices(OUTCOMES, (10, 6, 2, 2, 1, 1))[0]
    amount = converted(Decimal(random.randrange(500, 20_000)) / 100, account.currency)
    lines = draw_lines(simulation, account, 1 + random.randrange(3)) if outcome != "balance" else []
    if not lines:
        lines = [line_item(simulation, "Returned goods", 1, amount, account.currency)]
    note = _credit_note(simulation, account, Content(lines, tax_rate=account.tax_rate))
    moment = simulation.clock + random.randrange(HOUR, 6 * DAY)
    steps: list[Step] = []
    if outcome == "balance":
        split = Split("credit_note", note["total"], None, note)
        simulation.at(moment, receive, simulation, account, Receipt(splits=(split,)))
        steps.append((moment, "updated", _used_up(note, "amount_credited")))
    elif outcome == "closed":
        steps.append((moment, "updated", {"closed": True, "status": "closed"}))
    elif outcome == "voided":
        steps.append((moment, "updated", {"balance": 0} | voided(moment)))
    elif outcome == "draft":
        note |= {"draft": True, "status": "draft"}
    elif outcome == "deleted" and moment <= simulation.now:
        simulation.emit_event(CREDIT_NOTE, "created", note, account)
        simulation.at(moment, simulation.emit_event, CREDIT_NOTE, "deleted", note, account)
        return
    _emit(simulation, account, note, steps)


def _emit(simulation: Simulation, account: Account, note: Record, steps: list[Step]) -> None:
    simulation.emit_event(CREDIT_NOTE, "created", note, account)
    simulation.emit("credit_notes", advance(simulation, CREDIT_NOTE, note, steps, account=account))


def _used_up(note: Record, use: str) -> Record:
    return {"balance": 0, "paid": True, "closed": True, "status": "paid", use: note["total"]}


def _credit_note(simulation: Simulation, account: Account, content: Content) -> Record:
    shared = document(simulation, account, CREDIT_NOTE, content)
    return {
        **shared,
        "id": simulation.next_id("credit_note", CREDIT_NOTE.first_id),
        "object": "credit_note",
        "invoice": None,
        "paid": False,
        "status": "open",
        "balance": shared["total"],
        "amount_applied_to_invoice": 0,
        "amount_credited": 0,
        "amount_refunded": 0,
    }
