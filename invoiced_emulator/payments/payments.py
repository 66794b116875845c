"""Creates, updates and voids payments."""

from decimal import Decimal
from typing import Any

from invoiced_emulator.calls.call import Call, Response
from invoiced_emulator.documents.files import attachment_ids
from invoiced_emulator.payments.cash_application import apply, unapply
from invoiced_emulator.payments.splits import (
    DOCUMENTS,
    Split,
    check_documents,
    consumed_amount,
    requested_splits,
)
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.properties import Property, accepted_values, as_decimal
from invoiced_emulator.records.unit_of_work import Record, UnitOfWork
from invoiced_emulator.records.web_pages import page_address
from invoiced_emulator.writes.options import check_options
from invoiced_emulator.writes.records import existing_customer, record_in_path
from invoiced_emulator.writes.responses import record_response

_TEXT = ("string", "null")
_OPTIONS = {
    "amount": ("numeric",),
    "customer": ("integer", "null"),
    "date": ("integer", "null"),
    "currency": _TEXT,
    "method": _TEXT,
    "reference": _TEXT,
    "source": _TEXT,
    "notes": _TEXT,
    "ach_sender_id": _TEXT,
    "attachments": ("array", "null"),
    "applied_to": ("array", "null"),
    "metadata": ("array", "null"),
    "accounting_id": _TEXT,
    "accounting_system": _TEXT,
}
_PROPERTIES = {
    "currency": Property("currency"),
    "date": Property("stamp"),
    "method": Property(),
    "reference": Property(),
    "source": Property(),
    "notes": Property(longest=65_535),
    "ach_sender_id": Property(),
    "metadata": Property("metadata"),
}


def create(call: Call) -> Response:
    """Handles POST /payments."""
    check_options(call, _OPTIONS, required=("amount",))
    return record_response(call, "payments", create_payment(call, call.body), 201)


def create_payment(call: Call, body: Record, *, charge: Record | None = None) -> Record:
    """Creates a payment from checked options and returns it as stored.

    Args:
        call: The request.
        body: The options of POST /payments.
        charge: The charge that it comes from, if any.

    Raises:
        ApiError: 400 with Invoiced's text.
    """
    payment = _new_payment(call, body)
    if charge is not None:
        payment["charge"] = embedded_charge(charge) | {"payment_id": payment["id"]}
    splits = requested_splits(body.get("applied_to"), payment["currency"])
    check_documents(call.work, splits, payment)
    applied = [apply(call.work, payment, split) for split in splits]
    return call.work.create("payments", _settled(payment, applied, consumed_amount(splits)))


def embedded_charge(charge: Record) -> Record:
    """Returns a charge as its payment holds it: relations as `<name>_id` only."""
    return {name: value for name, value in charge.items() if name not in {"customer", "payment"}}


def update(call: Call) -> Response:
    """Handles PATCH /payments/:id."""
    before = record_in_path(call, "payments")
    check_options(call, _OPTIONS)
    if not call.body:
        return record_response(call, "payments", before)
    if before.get("voided"):
        raise refused("The payment is voided and cannot be edited.", "voided")
    work, body = call.work, call.body
    after = before | accepted_values(body, _PROPERTIES)
    if "attachments" in body:
        after["attachments"] = attachment_ids(call, body["attachments"])
    if "amount" in body:
        after["amount"] = _amount(body)
    elements: list[Record] = list(before.get("applied_to") or ())
    if "customer" in body and body["customer"] != before["customer"]:
        customer = _customer(call, body)
        for element in elements:
            unapply(work, before, element)
        elements.clear()
        after["customer"] = customer["id"] if customer else None
    kept = [_as_split(element) for element in elements]
    if body.get("applied_to") is not None:
        splits = requested_splits(body["applied_to"], after["currency"])
        check_documents(work, splits, after)
        elements, kept = _reapplied(work, after, elements, splits), splits
    consumed = consumed_amount(kept)
    if consumed > after["amount"]:
        raise refused("The amount cannot cause the balance to go below 0.", "amount")
    return record_response(
        call, "payments", work.save("payments", before, _settled(after, elements, consumed))
    )


def void(call: Call) -> Response:
    """Handles DELETE /payments/:id."""
    payment = record_in_path(call, "payments")
    if payment.get("voided"):
        raise refused("This payment has already been voided.")
    work = call.work
    for element in payment.get("applied_to") or ():
        unapply(work, payment, element)
    voided = payment | {"voided": True, "date_voided": work.clock.now()}
    settled = _settled(voided, [], Decimal(0))
    work.name_event("payments", payment["id"], "deleted")
    return record_response(call, "payments", work.save("payments", payment, settled))


def _new_payment(call: Call, body: Record) -> Record:
    """Returns a payment from a request body; it is neither stored nor applied."""
    work, account = call.work, call.shared.account
    amount = _amount(body)
    values = {name: value for name, value in accepted_values(body, _PROPERTIES).items() if value}
    customer = _customer(call, body)
    currency = values.get("currency") or (customer or {}).get("currency") or account.currency
    return {
        "object": "payment",
        "customer": customer["id"] if customer else None,
        "date": work.clock.now(),
        "method": "other",
        "reference": None,
        "source": "keyed",
        "notes": None,
        "ach_sender_id": None,
        "matched": None,
        "voided": False,
        "charge": None,
        "surcharge_percentage": 0,
        "bank_feed_transaction": None,
        "bank_feed_transaction_id": None,
        "metadata": {},
        "date_voided": None,
        **values,
        "currency": currency,
        "amount": amount,
        "attachments": attachment_ids(call, body.get("attachments")),
        "id": work.store.next_key("payments"),
    }


def _amount(body: Record) -> Decimal:
    amount = as_decimal(body["amount"]) or Decimal(0)
    if amount < 0:
        raise refused("The amount cannot be less than 0.", "amount")
    return amount


def _customer(call: Call, body: Record) -> Record | None:
    """Returns the customer of a payment, by default that of the first split's document."""
    if body.get("customer") is not None:
        return existing_customer(call, body["customer"], param=None)
    for split in body.get("applied_to") or ():
        for name, collection in DOCUMENTS.items():
            found = isinstance(split, dict) and split.get(name)
            document = call.shared.store.get(collection, found) if found else None
            if document is not None:
                return call.shared.store.get("customers", document["customer"])
    return None


def _reapplied(
    work: UnitOfWork, payment: Record, elements: list[Record], splits: list[Split]
) -> list[Record]:
    """Returns the new `applied_to`; unchanged splits keep their transaction."""
    earlier: dict[Any, Record] = {}
    for element in elements:
        split = _as_split(element)
        earlier[split.identity, split.amount] = element
    kept = {id(earlier[key]) for key in _keys(splits) if key in earlier}
    for element in elements:
        if id(element) not in kept:
            unapply(work, payment, element)
    return [
        earlier[key] if key in earlier else apply(work, payment, split)
        for key, split in zip(_keys(splits), splits, strict=True)
    ]


def _keys(splits: list[Split]) -> list[Any]:
    return [(split.identity, split.amount) for split in splits]


def _as_split(element: Record) -> Split:
    documents = tuple(
        (name, element[name])
        for name in ("credit_note", "invoice", "estimate")
        if element.get(name) is not None
    )
    return Split(element["type"], Decimal(element["amount"]), documents)


def _settled(payment: Record, applied_to: list[Record], consumed: Decimal) -> Record:
    """Returns the payment with its balance and the fields that follow from it."""
    rest = Decimal(payment["amount"]) - consumed
    reachable = rest == 0 and not payment["voided"] and payment["customer"] is not None
    address = payment.get("pdf_url") or f"{page_address('payments', payment['id'])}/pdf"
    return payment | {
        "applied_to": applied_to,
        "balance": rest,
        "applied": rest == 0,
        "pdf_url": address if reachable else None,
    }
