"""The payment gateway behind the account: what a token becomes, and how a charge ends.

A test chooses the outcome by a word in the token, as test tokens of real gateways do: `invalid` is
refused when it is saved, `declined` when it is charged, `processing` has no final result yet,
`unverified` is a bank account that cannot be charged.
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
    """The card or bank account that a token stands for, not stored yet.

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
    """Status of a charge of this source, and why it failed."""
    token = str(source.get("gateway_id") or "")
    if "declined" in token:
        return "failed", DECLINED
    return ("pending" if "processing" in token else "succeeded"), None
