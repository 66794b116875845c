"""Charges cards and bank accounts, and creates the payments."""

from decimal import Decimal
from typing import Any

from invoiced_emulator.calls.call import Call, Response
from invoiced_emulator.customers import gateway
from invoiced_emulator.customers.payment_sources import attach, requested_source, stored_source
from invoiced_emulator.payments.payments import create_payment
from invoiced_emulator.protocol.errors import not_found, refused
from invoiced_emulator.records.properties import as_boolean, as_decimal
from invoiced_emulator.records.unit_of_work import Record
from invoiced_emulator.writes.options import requested_currency
from invoiced_emulator.writes.records import committed, unlocked_record
from invoiced_emulator.writes.responses import NO_CONTENT, record_response

_SPLITS = {
    "invoice": ("invoice", "invoices"),
    "estimate": ("estimate", "estimates"),
    "credit": None,
    "applied_credit": None,
    "credit_note": ("credit_note", "credit_notes"),
}
"""Types of split that a charge allows, with the document they need."""
_METHODS = {"card": "credit_card", "bank_account": "ach"}
_NO_METHOD = "Payment method is missing. Please provide this with the `method` parameter."


def create(call: Call) -> Response:
    """Handles POST /charges; a declined charge is stored as failed."""
    body = call.body
    customer_id = body.get("customer")
    if customer_id in (None, ""):
        raise refused("The required option 'customer' is missing.", "request")
    if call.shared.store.get("customers", customer_id) is None:
        raise not_found("Customer", customer_id)
    customer = unlocked_record(call, "customers", customer_id)
    amount = _amount(body)
    splits = body.get("applied_to", body.get("splits"))
    check_splits(call, splits)
    source = _source(call, customer)
    details = {name: body.get(name) for name in ("currency", "notes", "metadata")}
    payment = charge(
        call,
        customer,
        source,
        details | {"amount": amount, "applied_to": splits, "source": "api"},
        receipt_email=body.get("receipt_email"),
    )
    if payment is None:
        return NO_CONTENT
    if as_boolean(body.get("vault_method", False)) and "id" not in source:
        with committed(call):
            attach(call, customer, body)
    return record_response(call, "payments", payment)


def charge(
    call: Call,
    customer: Record,
    source: Record,
    details: Record,
    *,
    receipt_email: str | None = None,
) -> Record | None:
    """Charges a source and returns the payment, or None while the result is pending.

    Args:
        call: A request whose route is not atomic.
        customer: The owner of the source.
        source: A card or bank account, stored or not.
        details: Amount, currency, applied_to, notes, source and metadata for the payment.
        receipt_email: Address for the receipt.

    Raises:
        ApiError: 400 with the gateway's text; the failed charge has been committed.
    """
    work = call.work
    status, failure = gateway.charge(source)
    currency = requested_currency(call, details.get("currency"), customer)
    outcome = {"status": status, "failure_message": failure, "receipt_email": receipt_email}
    payment = None
    with committed(call):
        made = _charge(call, customer, source, details["amount"], currency) | outcome
        made = work.create("charges", made, silent=True)
        work.add_event("charges", made, status)
        if status == "succeeded":
            payment = _payment(call, made, source, details)
    if failure is not None:
        raise refused(failure)
    return payment


def _payment(call: Call, charge: Record, source: Record, details: Record) -> Record:
    """Creates the payment of a charge that succeeded; both refer to each other."""
    body = details | {
        "currency": charge["currency"],
        "customer": charge["customer"],
        "method": _METHODS[source["object"]],
        "reference": charge["gateway_id"],
    }
    payment = create_payment(call, body, charge=charge)
    twins = {"payment": payment["id"], "payment_id": payment["id"]}
    call.work.store.put("charges", charge | twins)
    return payment


def check_splits(call: Call, splits: Any) -> None:
    """Refuses splits that a charge cannot have.

    Raises:
        ApiError: 400 with Invoiced's text.
    """
    for split in splits or ():
        values = split if isinstance(split, dict) else {}
        type_ = values.get("type")
        if type_ not in _SPLITS:
            allowed = ", ".join(_SPLITS)
            raise refused(f"Invalid split {type_}. Allowed split types are: {allowed}")
        if as_decimal(values.get("amount")) is None:
            raise refused("Amount must be specified on all splits.")
        document = _SPLITS[type_]
        if document is None:
            continue
        name, collection = document
        if values.get(name) is None:
            raise refused(f"Split is missing value: {name}")
        if call.shared.store.get(collection, values[name]) is None:
            raise refused(f"Could not find {name.replace('_', ' ')}: {values[name]}")


def _amount(body: Record) -> Decimal:
    amount = as_decimal(body.get("amount"))
    if amount is None:
        raise refused("The required option 'amount' is missing.", "request")
    if amount <= 0:
        raise refused("Amount is invalid", "amount")
    return amount


def _source(call: Call, customer: Record) -> Record:
    """Returns the source to charge: a stored one, a token's, or the customer's default."""
    body = call.body
    if body.get("payment_source_type") and body.get("payment_source_id"):
        kind, source_id = body["payment_source_type"], body["payment_source_id"]
        return stored_source(call, customer, kind, source_id)
    if body.get("invoiced_token") or body.get("gateway_token"):
        if not body.get("method"):
            raise refused(_NO_METHOD)
        return requested_source(customer, body)
    if not customer.get("payment_source"):
        raise refused(_NO_METHOD)
    return customer["payment_source"]


def _charge(call: Call, customer: Record, source: Record, amount: Decimal, currency: str) -> Record:
    key = call.work.store.next_value("gateway", above=0)
    return {
        "customer": customer["id"],
        "customer_id": customer["id"],
        "currency": currency,
        "amount": amount,
        "amount_refunded": 0,
        "refunded": False,
        "disputed": False,
        "gateway": gateway.NAME,
        "gateway_id": f"ch_{key:08d}",
        "description": None,
        "payment_source": source if "id" in source else None,
        "refunds": [],
        "payment": None,
        "payment_id": None,
        "merchant_account_id": None,
        "merchant_account_transaction_id": None,
        "payment_flow_id": None,
    }
