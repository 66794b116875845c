"""Cards and bank accounts, with the last four digits of test numbers."""

from invoiced_emulator.seed.simulation.account import Record
from invoiced_emulator.seed.simulation.simulation import Simulation

GATEWAY = "test"
_BANK_ACCOUNT: Record = {
    "object": "bank_account",
    "bank_name": "Example Bank",
    "last4": "6789",
    "routing_number": "110000000",
    "verified": True,
    "country": "US",
    "currency": "usd",
    "account_holder_type": "company",
    "type": "checking",
}
_CARD: Record = {
    "object": "card",
    "brand": "Visa",
    "last4": "4242",
    "exp_year": 2031,
    "funding": "credit",
    "issuing_country": "US",
}


def payment_source(
    simulation: Simulation, payment_habit: str, customer_id: int, holder: str
) -> Record:
    """Returns the card (`card`) or bank account (`ach`) of a customer."""
    shared: Record = {
        "id": simulation.next_id("payment_source", 400),
        "chargeable": True,
        "gateway": GATEWAY,
        "gateway_customer": f"cus_{simulation.token()[:10]}",
        "gateway_id": f"src_{simulation.token()[:12]}",
        "gateway_setup_intent": None,
        "merchant_account": 2353,
        "failure_reason": None,
        "receipt_email": None,
        "customer_id": customer_id,
        "created_at": simulation.clock,
        "updated_at": simulation.clock,
    }
    if payment_habit == "ach":
        return {**shared, **_BANK_ACCOUNT, "account_holder_name": holder}
    return {**shared, **_CARD, "exp_month": 1 + customer_id % 12}
