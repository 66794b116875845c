"""Attaches, lists and removes cards and bank accounts."""

from collections.abc import Mapping
from typing import Any

from invoiced_emulator.calls.call import Call, Handler, Response
from invoiced_emulator.customers import gateway
from invoiced_emulator.lists.parameters import PLAIN_OPTIONS
from invoiced_emulator.lists.read_handlers import int_or_zero, key_below, list_headers
from invoiced_emulator.protocol.errors import not_found, refused, unknown_options
from invoiced_emulator.protocol.exact_json import encode
from invoiced_emulator.protocol.pages import requested_page
from invoiced_emulator.records.kinds import COLLECTION_OF, KINDS
from invoiced_emulator.records.properties import as_boolean
from invoiced_emulator.records.unit_of_work import Record
from invoiced_emulator.writes.options import refuse_query
from invoiced_emulator.writes.records import committed, unlocked_record
from invoiced_emulator.writes.responses import NO_CONTENT, record_response

SOURCES = ("cards", "bank_accounts")
_METHODS = frozenset({"credit_card", "ach"})
_MOST = 20
_OPTIONS = PLAIN_OPTIONS | {"include_hidden"}


def create(call: Call) -> Response:
    """Handles POST /customers/:id/payment_sources; commits before the response is built."""
    customer = unlocked_record(call, "customers", call.arguments[0])
    with committed(call):
        source = attach(call, customer, call.body)
    return record_response(call, COLLECTION_OF[source["object"]], source)


def list_sources(call: Call) -> Response:
    """Handles GET /customers/:id/payment_sources; every page holds all of them."""
    if unknown := call.query.keys() - _OPTIONS:
        raise unknown_options(unknown, _OPTIONS, "query")
    hidden = as_boolean(call.query.get("include_hidden", ""))
    found = sources(call, int_or_zero(call.arguments[0]), hidden=hidden)
    headers = list_headers(call, requested_page(call.query), len(found), strict=True)
    return Response(200, encode([dict(sorted(each.items())) for each in found]), headers)


def remove_handler(collection: str) -> Handler:
    """Returns the handler of DELETE: the source is no longer chargeable, and lists omit it."""

    def handle(call: Call) -> Response:
        refuse_query(call)
        work = call.work
        source = work.store.at(collection, key_below(call, KINDS[collection])) or {}
        if source.get("chargeable"):
            work.name_event(collection, source["id"], "deleted")
            work.save(collection, source, source | {"chargeable": False})
        customer = work.store.get("customers", source["customer_id"])
        current = (customer or {}).get("payment_source") or {}
        if customer and (current.get("object"), current.get("id")) == (
            source["object"],
            source["id"],
        ):
            work.save("customers", customer, customer | _default(None))
        return NO_CONTENT

    return handle


def attach(call: Call, customer: Record, body: Mapping[str, Any]) -> Record:
    """Stores the source that a token stands for; a customer's first becomes its default.

    Raises:
        ApiError: 400 with Invoiced's or the gateway's text.
    """
    source = requested_source(customer, body)
    if len(sources(call, customer["id"])) >= _MOST:
        raise refused(f"The customer has reached the maximum allowed payment methods ({_MOST}).")
    source = call.work.create(COLLECTION_OF[source["object"]], source)
    if as_boolean(body.get("make_default", False)) or not customer.get("payment_source"):
        call.work.save("customers", customer, customer | _default(source))
    return source


def requested_source(customer: Record, body: Mapping[str, Any]) -> Record:
    """Returns the source that the token of a request stands for; it is not stored.

    Raises:
        ApiError: 400 with Invoiced's or the gateway's text.
    """
    method = body.get("method") or "credit_card"
    if method not in _METHODS:
        raise refused(f"This business does not support saving the payment method: {method}")
    tokens = [body[name] for name in ("invoiced_token", "gateway_token") if body.get(name)]
    if len(tokens) != 1:
        raise refused("Exactly one of invoiced_token and gateway_token must be provided.")
    return gateway.source_of(method, str(tokens[0]), customer)


def stored_source(call: Call, customer: Record, object_: Any, source_id: Any) -> Record:
    """Returns a customer's source by its type and id.

    Raises:
        ApiError: 404 when the customer has no such source.
    """
    collection = COLLECTION_OF.get(str(object_), "")
    if collection not in SOURCES:
        raise refused(f"Invalid payment source type: {object_}")
    found = call.shared.store.get(collection, source_id)
    if found is not None and found.get("customer_id") == customer["id"]:
        return found
    current = customer.get("payment_source") or {}
    if (current.get("object"), str(current.get("id"))) == (object_, str(source_id)):
        return current
    raise not_found(KINDS[collection].title, source_id)


def sources(call: Call, customer: int, *, hidden: bool = False) -> list[Record]:
    """Returns a customer's sources, cards first; with `hidden` also those not chargeable."""
    store = call.shared.store
    found = [each for name in SOURCES for each in store.of_customer(name, customer)]
    return [each for each in found if hidden or each.get("chargeable")]


def _default(source: Record | None) -> Record:
    """Returns the fields of a customer that name its default source."""
    return {
        "payment_source": source,
        "default_source_type": source["object"] if source else None,
        "default_source_id": source["id"] if source else None,
    }
