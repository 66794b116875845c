"""Notes of users about customers and their invoices."""

from invoiced_emulator.seed.simulation.account import Account, Record
from invoiced_emulator.seed.simulation.business_time import DAY, HOUR, office_hours
from invoiced_emulator.seed.simulation.history import advance
from invoiced_emulator.seed.simulation.kinds import NOTE
from invoiced_emulator.seed.simulation.simulation import Simulation

_TEXTS = (
    "Called, clarified the terms.",
    "Wants the invoice in two copies.",
    "Promised to pay by the end of the month.",
    "Zoë spoke to their Buchhaltung; they wait for a purchase order.",
    "請求書を再送しました。",
)
_USERS = (("Zoë", "Sampleton"), ("Ömer", "Testerson"), ("Priya", "Placeholder"))


def plan_note(simulation: Simulation, account: Account, invoice: Record | None = None) -> None:
    """Plans a note within the next days."""
    moment = office_hours(simulation.extras, simulation.clock + HOUR)
    moment += simulation.extras.randrange(9) * DAY
    simulation.at(moment, add_note, simulation, account, invoice)


def add_note(simulation: Simulation, account: Account, invoice: Record | None = None) -> None:
    """Adds a note; some are edited later, a few are deleted, and then only events show them."""
    random = simulation.extras
    at = random.randrange(len(_USERS))
    invoice_id = invoice["id"] if invoice else None
    note: Record = {
        "id": simulation.next_id("note", NOTE.first_id, random),
        "object": "note",
        "notes": random.choice(_TEXTS),
        "customer_id": account.id,
        "customer": account.id,
        "invoice_id": invoice_id,
        "invoice": invoice_id,
        "user_id": 1_970 + at,
        "user": _user(at, simulation.start),
        "created_at": simulation.clock,
        "updated_at": simulation.clock,
    }
    simulation.emit_event(NOTE, "created", note, account)
    moment = office_hours(random, simulation.clock + random.randrange(HOUR, 20 * DAY))
    chance = random.random()
    if chance < 0.06 and moment <= simulation.now:
        simulation.at(moment, simulation.emit_event, NOTE, "deleted", note, account)
        return
    steps = [(moment, "updated", {"notes": f"{note['notes']} Done."})] if chance > 0.8 else []
    simulation.emit("notes", advance(simulation, NOTE, note, steps, account=account))


def _user(at: int, created: int) -> Record:
    first_name, last_name = _USERS[at]
    return {
        "id": 1_970 + at,
        "email": f"user{at}@example.com",
        "first_name": first_name,
        "last_name": last_name,
        "registered": True,
        "two_factor_enabled": at == 0,
        "created_at": created,
        "updated_at": created,
    }
