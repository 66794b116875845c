"""The payment gateway of the account: payment sources from tokens, and results of charges.

A test chooses the result by a word in the token, as with the test tokens of real gateways:
`invalid` cannot be saved, `declined` cannot be charged, a charge of `processing` stays pending, and
`unverified` is a bank account that cannot be charged yet.
"""

from collections.abc import Mapping
from typing import Any

from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.unit_of_work import Record

NAME = "test"
DECLINED = "Your card was declined."
_INVALID = "The payment token is not valid."

_CARD: Mapping[str, Any] = {
    "object": "card",
    "brand": "Visa",
    "last4": "4242",
    "exp_month": 12,
    "exp_year": 2031,
    "funding": "credit",
    "issuing_country": "US",
}
_BANK_ACCOUNT: Mapping[str, Any] = {
    "object": "bank_account",
    "bank_name": "Example Bank",
    "last4": "6789",
    "routing_number": "110000000",
    "country": "US",
    "currency": "usd",
    "account_holder_type": "company",
    "type": "checking",
}


def source_of(method: str, token: str, customer: Record) -> Record:
    """Returns the card or bank account that a token stands for; it is not stored.

    Raises:
        ApiError: 400 with the gateway's text.
    """
    if "invalid" in token:
        raise refused(_INVALID)
    shared = {
        "chargeable": True,
        "customer_id": customer["id"],
        "failure_reason": None,
        "gateway": NAME,
        "gateway_customer": f"cus_{customer['id']}",
        "gateway_id": token,
        "gateway_setup_intent": None,
        "merchant_account": None,
        "receipt_email": None,
    }
    if method == "credit_card":
        return {**shared, **_CARD}
    own = {"account_holder_name": customer["name"], "verified": "unverified" not in token}
    return {**shared, **_BANK_ACCOUNT, **own}


def charge(source: Record) -> tuple[str, str | None]:
    """Returns the status of a charge and, when it failed, the reason."""
    token = str(source.get("gateway_id") or "")
    if "declined" in token:
        return "failed", DECLINED
    return ("pending" if "processing" in token else "succeeded"), None
