"""Creates, updates, deletes and voids invoices, credit notes and estimates."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from invoiced_emulator.amounts.document_amounts import AMOUNTS, set_amounts
from invoiced_emulator.amounts.money import decimal
from invoiced_emulator.calls.call import Call, Handler, Response
from invoiced_emulator.customers.inline_customers import requested_customer
from invoiced_emulator.customers.shipping_address import shipping_address
from invoiced_emulator.documents.checks import (
    check_deletable,
    check_editable,
    check_issuable,
    check_new_total,
    check_quota,
    check_total,
    check_voidable,
)
from invoiced_emulator.documents.files import attachment_ids
from invoiced_emulator.documents.kinds import CREDIT_NOTE, INVOICE, DocumentKind
from invoiced_emulator.documents.payment_terms import due_date
from invoiced_emulator.documents.statuses import derive_fields
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.kinds import KINDS
from invoiced_emulator.records.properties import accepted_values
from invoiced_emulator.records.unit_of_work import Record, UnitOfWork
from invoiced_emulator.writes.numbers import next_number, number_is_taken
from invoiced_emulator.writes.options import refuse_query
from invoiced_emulator.writes.records import record_in_path
from invoiced_emulator.writes.responses import NO_CONTENT, record_response


def create_handler(kind: DocumentKind) -> Handler:
    """Returns the handler of POST for a kind of document."""

    def handle(call: Call) -> Response:
        return record_response(call, kind.collection, create_document(call, kind, call.body), 201)

    return handle


def update_handler(kind: DocumentKind) -> Handler:
    """Returns the handler of PATCH for a kind of document."""

    def handle(call: Call) -> Response:
        document = with_defaults(record_in_path(call, kind.collection), kind)
        if call.body:
            document = _updated(call, kind, document)
        return record_response(call, kind.collection, document)

    return handle


def delete_handler(kind: DocumentKind) -> Handler:
    """Returns the handler of DELETE for a kind of document."""

    def handle(call: Call) -> Response:
        refuse_query(call)
        document = with_defaults(record_in_path(call, kind.collection), kind)
        check_deletable(kind, document)
        call.work.delete(kind.collection, document)
        if document.get("payment_plan") is not None:
            call.shared.store.remove("payment_plans", document["payment_plan"])
        return NO_CONTENT

    return handle


def void_handler(kind: DocumentKind) -> Handler:
    """Returns the handler of POST `/:id/void` for a kind of document."""

    def handle(call: Call) -> Response:
        document = with_defaults(record_in_path(call, kind.collection), kind)
        check_voidable(kind, document)
        voided = document | {"voided": True, "date_voided": call.shared.clock.now()}
        saved = save_document(call.work, kind.collection, document, voided)
        return record_response(call, kind.collection, saved)

    return handle


def create_document(call: Call, kind: DocumentKind, body: Mapping[str, Any]) -> Record:
    """Creates a document from a request body and returns it as stored.

    Raises:
        ApiError: 400 with Invoiced's text.
    """
    work = call.work
    check_quota(call)
    values = _values(call, kind, body, kind.blocked)
    customer = requested_customer(call, body.get("customer"))
    check_issuable(call, kind, customer)
    document = _new_document(call, kind, customer) | values
    if kind is INVOICE:
        _inherit_terms(call, document, customer, body)
        _set_subscription(work, document, body)
    number = document.get("number") or next_number(call, kind.collection, kind.prefix)
    _check_number(call, kind, number, None)
    document["number"] = number
    document["attachments"] = attachment_ids(call, body.get("attachments"))
    set_amounts(work, document, body)
    check_total(call, kind, document, customer)
    document["id"] = work.store.next_key(kind.collection)
    derive_fields(work, kind.collection, document)
    return work.create(kind.collection, document)


def save_document(work: UnitOfWork, collection: str, before: Record, after: Record) -> Record:
    """Stores a changed document after updating its balance, status and links."""
    derive_fields(work, collection, after)
    if collection == "invoices" and after["paid"] and not before.get("paid"):
        work.name_event(collection, after["id"], "paid")
    return work.save(collection, before, after)


def with_defaults(document: Record, kind: DocumentKind) -> Record:
    """Returns a stored document with every field that the rules read."""
    complete = {**_shared_defaults(kind), **kind.defaults, **document}
    if kind is INVOICE and "balance" in document and "amount_paid" not in document:
        credited = decimal(complete, "amount_credited")
        paid = decimal(complete, "total") - decimal(complete, "balance") - credited
        complete["amount_paid"] = Decimal(0) if complete.get("voided") else paid
    return complete


def _updated(call: Call, kind: DocumentKind, document: Record) -> Record:
    work, body = call.work, call.body
    values = _values(call, kind, body, kind.blocked | kind.blocked_on_update)
    check_editable(document, body)
    if "number" in values:
        _check_number(call, kind, values["number"], document["id"])
    after = document | values
    if kind is INVOICE and "payment_terms" in values and "due_date" not in values:
        after["due_date"] = due_date(after["payment_terms"], after["date"])
    if "attachments" in body:
        after["attachments"] = attachment_ids(call, body["attachments"])
    if any(name in body for name in AMOUNTS):
        set_amounts(work, after, body)
        check_new_total(call, kind, document, after)
    return save_document(work, kind.collection, document, after)


def _values(
    call: Call, kind: DocumentKind, body: Mapping[str, Any], blocked: frozenset[str]
) -> Record:
    title = KINDS[kind.collection].title
    values = accepted_values(body, kind.properties, model=title, blocked=blocked)
    if isinstance(values.get("approved"), str):
        values["approved"] = values["approved"].upper()
    if "ship_to" in values:
        values["ship_to"] = shipping_address(call.work, values["ship_to"])
    return values


def _shared_defaults(kind: DocumentKind) -> Record:
    return {
        "name": kind.name,
        "purchase_order": None,
        "notes": None,
        "draft": False,
        "closed": False,
        "items": [],
        "discounts": [],
        "taxes": [],
        "shipping": [],
        "subtotal": 0,
        "total": 0,
        "sent": False,
        "viewed": False,
        "voided": False,
        "network_document": None,
        "network_document_id": None,
        "metadata": {},
    }


def _new_document(call: Call, kind: DocumentKind, customer: Record) -> Record:
    return {
        **_shared_defaults(kind),
        **kind.defaults,
        "object": KINDS[kind.collection].object,
        "customer": customer["id"],
        "currency": customer.get("currency") or call.shared.account.currency,
        "date": call.shared.clock.now(),
    }


def _inherit_terms(call: Call, invoice: Record, customer: Record, body: Mapping[str, Any]) -> None:
    if "payment_terms" not in body:
        invoice["payment_terms"] = customer.get("payment_terms")
    if "autopay" not in body:
        invoice["autopay"] = bool(customer.get("autopay"))
    if "chase" not in body:
        invoice["chase"] = bool(customer.get("chase"))
    if "due_date" not in body:
        invoice["due_date"] = due_date(invoice["payment_terms"], invoice["date"])
    if invoice["autopay"]:
        invoice["next_payment_attempt"] = call.shared.clock.now()


def _set_subscription(work: UnitOfWork, invoice: Record, body: Mapping[str, Any]) -> None:
    subscription = body.get("subscription")
    if subscription is None:
        return
    if work.store.get("subscriptions", subscription) is None:
        raise refused(f"Subscription was not found: {subscription}")
    invoice["subscription"] = invoice["subscription_id"] = subscription


def _check_number(call: Call, kind: DocumentKind, number: str, record_id: object) -> None:
    if number_is_taken(call, kind.collection, number, record_id):
        name = "credit note" if kind is CREDIT_NOTE else kind.collection.removesuffix("s")
        raise refused(f"The given {name} number has already been taken: {number}", "number")
