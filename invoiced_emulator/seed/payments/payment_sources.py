"""Cards and bank accounts on file; only the last four digits of invented test numbers."""

from invoiced_emulator.seed.ledger.account import Record
from invoiced_emulator.seed.ledger.ledger import Ledger

GATEWAY = "test"


def payment_source(ledger: Ledger, manner: str, customer_id: int, holder: str) -> Record:
    """The card (`card`) or bank account (`ach`) that a customer is charged by."""
    shared: Record = {
        "id": ledger.next_id("payment_source", 400),
        "chargeable": True,
        "gateway": GATEWAY,
        "gateway_customer": f"cus_{ledger.token()[:10]}",
        "gateway_id": f"src_{ledger.token()[:12]}",
        "gateway_setup_intent": None,
        "merchant_account": 2353,
        "failure_reason": None,
        "receipt_email": None,
        "customer_id": customer_id,
        "created_at": ledger.clock,
        "updated_at": ledger.clock,
    }
    if manner == "ach":
        return {
            **shared,
            "object": "bank_account",
            "bank_name": "Example Bank",
            "last4": "6789",
            "routing_number": "110000000",
            "verified": True,
            "country": "US",
            "currency": "usd",
            "account_holder_name": holder,
            "account_holder_type": "company",
            "type": "checking",
        }
    return {
        **shared,
        "object": "card",
        "brand": "Visa",
        "last4": "4242",
        "exp_month": 1 + customer_id % 12,
        "exp_year": 2031,
        "funding": "credit",
        "issuing_country": "US",
    }
