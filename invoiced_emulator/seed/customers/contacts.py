"""Contacts: people at a customer."""

from invoiced_emulator.seed.simulation import company
from invoiced_emulator.seed.simulation.account import Account, Record
from invoiced_emulator.seed.simulation.business_time import DAY, office_hours
from invoiced_emulator.seed.simulation.history import advance
from invoiced_emulator.seed.simulation.kinds import CONTACT
from invoiced_emulator.seed.simulation.simulation import Simulation


def add_contact(simulation: Simulation, account: Account, *, primary: bool) -> None:
    """Adds a contact; a few are deleted later, and then only events show them."""
    random = simulation.random
    name = company.person_name(random)
    contact: Record = {
        "id": simulation.next_id("contact", CONTACT.first_id),
        "object": "contact",
        "customer_id": account.id,
        "customer": account.id,
        "name": name,
        "email": company.email(random, f"contact{random.randrange(100_000)}"),
        "primary": primary,
        "title": random.choice((None, "Accountant", "CFO", "Buchhaltung")),
        "department": None,
        "phone": company.phone(random) if random.random() < 0.5 else None,
        "sms_enabled": False,
        "send_new_invoices": primary,
        "role_id": None,
        "role": None,
        **{field: account.record[field] for field in ("country", "city")},
        **dict.fromkeys(("address1", "address2", "state", "postal_code")),
        "created_at": simulation.clock,
        "updated_at": simulation.clock,
    }
    simulation.emit_event(CONTACT, "created", contact, account)
    left_at = office_hours(random, simulation.clock + random.randrange(20 * DAY, 300 * DAY))
    if not primary and random.random() < 0.15 and left_at <= simulation.now:
        simulation.at(left_at, simulation.emit_event, CONTACT, "deleted", contact, account)
        return
    moved = (left_at, "updated", {"phone": company.phone(random)})
    steps = [moved] if random.random() < 0.2 else []
    simulation.emit("contacts", advance(simulation, CONTACT, contact, steps, account=account))
