"""Contacts: the people at a customer."""

from invoiced_emulator.seed.ledger import company
from invoiced_emulator.seed.ledger.account import Account, Record
from invoiced_emulator.seed.ledger.business_time import DAY, office_hours
from invoiced_emulator.seed.ledger.history import advance
from invoiced_emulator.seed.ledger.kinds import CONTACT
from invoiced_emulator.seed.ledger.ledger import Ledger


def add_contact(ledger: Ledger, account: Account, *, primary: bool) -> None:
    """A person at the customer; a few leave again, which only events tell."""
    random = ledger.random
    name = company.person_name(random)
    contact: Record = {
        "id": ledger.next_id("contact", CONTACT.first_id),
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
        "created_at": ledger.clock,
        "updated_at": ledger.clock,
    }
    ledger.announce(CONTACT, "created", contact, account)
    left_at = office_hours(random, ledger.clock + random.randrange(20 * DAY, 300 * DAY))
    if not primary and random.random() < 0.15 and left_at <= ledger.now:
        ledger.at(left_at, ledger.announce, CONTACT, "deleted", contact, account)
        return
    moved = (left_at, "updated", {"phone": company.phone(random)})
    steps = [moved] if random.random() < 0.2 else []
    ledger.give("contacts", advance(ledger, CONTACT, contact, steps, account=account))
