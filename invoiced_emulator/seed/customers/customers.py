"""Customers: new ones, their edits, and their balances at the end."""

from invoiced_emulator.seed.payments.payment_sources import payment_source
from invoiced_emulator.seed.simulation import company
from invoiced_emulator.seed.simulation.account import Account, Record
from invoiced_emulator.seed.simulation.business_time import DAY, office_hours
from invoiced_emulator.seed.simulation.history import advance
from invoiced_emulator.seed.simulation.kinds import CUSTOMER
from invoiced_emulator.seed.simulation.money import Number, converted, exact
from invoiced_emulator.seed.simulation.simulation import Simulation

_TERMS = ("NET 7", "NET 14", "NET 30", "NET 30", "NET 30", "NET 60")

_BLANK: Record = {
    "object": "customer",
    "active": True,
    "notes": None,
    "autopay": False,
    "autopay_delay_days": -1,
    "chase": True,
    "chasing_cadence": None,
    "next_chase_step": None,
    "credit_hold": False,
    "credit_limit": None,
    "consolidated": False,
    "bill_to_parent": False,
    "convenience_fee": False,
    "surcharging": False,
    "avalara_entity_use_code": None,
    "avalara_exemption_number": None,
    "parent_customer": None,
    "owner_id": None,
    "owner": None,
    "late_fee_schedule_id": None,
    "late_fee_schedule": None,
    "ach_gateway_id": None,
    "ach_gateway": None,
    "cc_gateway_id": None,
    "cc_gateway": None,
    "ach_gateway_object": None,
    "cc_gateway_object": None,
    "network_connection_id": None,
    "network_connection": None,
    "sign_up_page": None,
    "sign_up_url": None,
    "payment_source": None,
    "credit_balance": 0,
    "aging": [],
    "collection_mode": "manual",
    "disabled_payment_methods": None,
    "default_source_id": None,
    "default_source_type": None,
}

_NOTES = (
    "Prefers e-mail; ask for Désirée.",
    "請求書は毎月末締め。",
    "VIP ⭐: never chase by phone",
    'Line one\nLine "two",\ttabbed',
)

_AGING = (0, 8, 15, 31, 61)
"""Lower bounds of the aging buckets, in days past the due date."""


def new_account(simulation: Simulation, size: str, currency: str, payment_habit: str) -> Account:
    """Returns a customer created now, with its habits."""
    random = simulation.random
    autopay = payment_habit in ("card", "ach")
    taxable = random.random() < 0.6
    account = Account(
        record=_customer(simulation, size, currency, taxable=taxable),
        size=size,
        currency=currency,
        terms=None if autopay else random.choice(_TERMS),
        payment_habit=payment_habit,
        delay_days=random.choice((-6, -2, 0, 1, 3, 5, 12, 25)),
        tax_rate=simulation.catalog.tax_rate_of(currency) if taxable else None,
    )
    record = account.record
    record |= {"autopay": autopay, "payment_terms": account.terms}
    if autopay:
        source = payment_source(simulation, payment_habit, account.id, record["name"])
        record |= {
            "payment_source": source,
            "collection_mode": "auto",
            "default_source_id": source["id"],
            "default_source_type": source["object"],
            "convenience_fee": random.random() < 0.2,
        }
    record["taxes"] = [account.tax_rate] if account.tax_rate and random.random() < 0.3 else []
    _adopt(simulation, account)
    _show(account)
    return account


def edit(simulation: Simulation, account: Account, fields: Record) -> None:
    """Edits the customer's record now."""
    step = (simulation.clock, "updated", fields)
    account.record = advance(simulation, CUSTOMER, account.record, [step])
    _show(account)


def draw_edit(simulation: Simulation) -> Record:
    """Returns the fields of a random edit."""
    random = simulation.random
    return random.choice(
        (
            {"notes": random.choice(_NOTES)},
            {"phone": company.phone(random)},
            {"credit_hold": True},
            {"address1": f"{random.randrange(1, 400)} New Example Road", "address2": None},
        )
    )


def closing_record(simulation: Simulation, account: Account) -> Record:
    """Returns the customer's final record with its balances."""
    buckets: dict[int, list[Number]] = {lower: [0, 0] for lower in _AGING}
    for due, balance in account.owed:
        days = max(0, (simulation.now - due) // DAY)
        bucket = buckets[max(lower for lower in _AGING if lower <= days)]
        bucket[0] += balance
        bucket[1] += 1
    return {
        **account.record,
        "updated_at": max(account.record["updated_at"], account.credit_changed_at),
        "credit_balance": account.credit,
        "aging": [
            {"age_lower": lower, "amount": exact(amount), "count": count}
            for lower, (amount, count) in buckets.items()
        ],
    }


def pass_through(simulation: Simulation, *, merged: bool) -> None:
    """Adds a customer that is deleted or merged into another: only events show it."""
    account = new_account(simulation, "dormant", "usd", "single")
    simulation.emit_event(CUSTOMER, "created", account.record)
    moment = office_hours(simulation.random, simulation.clock + 5 * DAY)
    if merged:
        simulation.at(moment, _merge, simulation, account)
    else:
        simulation.at(moment, simulation.emit_event, CUSTOMER, "deleted", account.record)


def _merge(simulation: Simulation, account: Account) -> None:
    survivor = simulation.random.choice(simulation.accounts)
    simulation.emit_event(
        CUSTOMER, "merged", {**survivor.record, "original_customer": account.shown}
    )


def _show(account: Account) -> None:
    hidden = CUSTOMER.hidden
    account.shown = {name: value for name, value in account.record.items() if name not in hidden}


def _adopt(simulation: Simulation, account: Account) -> None:
    """Makes some customers branches of another, which may pay for them."""
    random = simulation.random
    if account.size in ("small", "subscriber") and random.random() < 0.12 and simulation.accounts:
        parent = random.choice(simulation.accounts)
        if parent.currency == account.currency and parent.record["parent_customer"] is None:
            account.record["parent_customer"] = parent.id
            account.record["bill_to_parent"] = random.random() < 0.3


def _customer(simulation: Simulation, size: str, currency: str, *, taxable: bool) -> Record:
    random = simulation.random
    customer_id = simulation.next_id("customer", CUSTOMER.first_id)
    number = simulation.next_number("CUST")
    person = size in ("small", "dormant") and random.random() < 0.25
    if person:
        name = company.person_name(random)
    else:
        name = company.company_name(random, currency, int(number.removeprefix("CUST-")))
    contact = None if person or random.random() < 0.5 else company.person_name(random)
    place = company.address(random, currency, contact)
    link = simulation.link("statements")
    kinds = ("company", "company", "company", "company", "government", "non_profit")
    owner = random.choice((None, 1_970, 1_971, 1_972))
    has_limit = size == "large" or random.random() < 0.1
    return {
        **_BLANK,
        **place,
        "id": customer_id,
        "name": name,
        "number": number,
        "email": company.email(random, f"billing{customer_id}") if random.random() < 0.95 else None,
        "type": "person" if person else random.choice(kinds),
        "language": company.language_of(currency) if random.random() < 0.4 else None,
        "currency": currency,
        "phone": company.phone(random) if random.random() < 0.6 else None,
        "tax_id": None if person else f"EX-{customer_id:07d}",
        "notes": random.choice(_NOTES) if random.random() < 0.1 else None,
        "taxable": taxable,
        "taxes": [],
        "credit_limit": converted(50_000, currency) if has_limit else None,
        "owner_id": owner,
        "owner": owner,
        "statement_url": link,
        "statement_pdf_url": f"{link}/pdf",
        "metadata": _metadata(simulation),
        "created_at": simulation.clock,
        "updated_at": simulation.clock,
        "address": "\n".join(part for part in (place["address1"], place["city"]) if part),
    }


def _metadata(simulation: Simulation) -> Record:
    """Returns a few keys; as in Invoiced, all values are texts."""
    random = simulation.random
    metadata: Record = {}
    if random.random() < 0.3:
        metadata["account_rep"] = random.choice(("Zoë", "Ömer", "Priya"))
    if random.random() < 0.2:
        metadata["erp_id"] = f"{random.randrange(10**9):010d}"
    if random.random() < 0.05:
        metadata["übergabe"] = '{"stage":"2","ok":true}'
    return metadata
