"""Lists and retrieves records: from query parameters to pages of stored JSON."""

from collections.abc import Sequence
from typing import Any, Literal

from invoiced_emulator.calls.call import Call, Handler, Response
from invoiced_emulator.lists.field_selection import render, requested_fields
from invoiced_emulator.lists.filters import add_filters, add_windows
from invoiced_emulator.lists.order import Order, requested_order
from invoiced_emulator.lists.parameters import add_special, check_strict
from invoiced_emulator.protocol.errors import not_found, refused
from invoiced_emulator.protocol.exact_json import encode
from invoiced_emulator.protocol.pages import (
    CURSOR_REQUIRED_FROM,
    Page,
    link_header,
    requested_page,
)
from invoiced_emulator.records.conditions import Conditions, tables
from invoiced_emulator.records.kinds import KINDS, ObjectKind
from invoiced_emulator.records.unit_of_work import Record

_COUNT_SECONDS = 300
"""How long later pages repeat the `X-Total-Count` of the first page."""
_CURSOR_SECONDS = 300
"""How long a served page allows the next page beyond 10,000 rows."""


def list_handler(
    collection: str, *, parent: Literal["customer", "invoice"] | None = None
) -> Handler:
    """Returns the handler of a collection's list.

    Args:
        collection: The kind of record.
        parent: The field that holds the id in the path, for lists below another record.
    """
    kind = KINDS[collection]

    def handle(call: Call) -> Response:
        check_strict(kind, call.query)
        conditions = list_conditions(call, kind)
        if parent is not None:
            conditions.add(f"r.{parent} = ?", int_or_zero(call.arguments[0]))
        return list_page(call, kind, conditions, time_conditions=Conditions())

    return handle


def retrieve_handler(collection: str) -> Handler:
    """Returns the handler of a collection's single records."""
    kind = KINDS[collection]

    def handle(call: Call) -> Response:
        record_id = call.arguments[-1]
        return Response(200, record_json(call, kind, visible_key(call, kind, record_id)))

    return handle


def retrieve_below(collection: str) -> Handler:
    """Returns the handler of single records below a customer, e.g. its contacts."""
    kind = KINDS[collection]

    def handle(call: Call) -> Response:
        return Response(200, record_json(call, kind, key_below(call, kind)))

    return handle


def key_below(call: Call, kind: ObjectKind) -> int:
    """Returns the key of the record that a path such as `customers/5/contacts/7` names.

    Raises:
        ApiError: 404 when the record does not exist or belongs to another customer.
    """
    customer, record_id = call.arguments
    key = visible_key(call, kind, record_id)
    sql = "SELECT customer FROM records WHERE collection = ? AND key = ?"
    if call.shared.store.rows(sql, (kind.collection, key))[0][0] != int_or_zero(customer):
        raise not_found(kind.title, record_id)
    return key


def visible_key(call: Call, kind: ObjectKind, record_id: object) -> int:
    """Returns the key of the latest version of a record that is not held back.

    Raises:
        ApiError: 404 when there is none.
    """
    store = call.shared.store
    for key in reversed(store.keys(kind.collection, record_id)):
        sql = "SELECT held FROM records WHERE collection = ? AND key = ?"
        if not store.rows(sql, (kind.collection, key))[0][0]:
            return key
    raise not_found(kind.title, record_id)


def record_json(call: Call, kind: ObjectKind, key: int) -> bytes:
    """Returns the JSON of a record with the fields that the request asks for."""
    store = call.shared.store
    rows = store.texts(kind.collection, (key,))
    return render(store, kind, rows, requested_fields(call.query))[0]


def list_conditions(call: Call, kind: ObjectKind) -> Conditions:
    """Returns the conditions of a list request, including its default scope."""
    account = call.shared.account
    conditions = Conditions()
    conditions.add("r.collection = ?", kind.collection)
    conditions.add("r.held = 0")
    add_special(conditions, kind, call.query)
    everywhere = account.updated_filter_everywhere
    add_windows(conditions, kind, call.query, everywhere=everywhere)
    add_filters(conditions, kind, call.query, account.zone)
    return conditions


def list_page(
    call: Call, kind: ObjectKind, conditions: Conditions, *, time_conditions: Conditions
) -> Response:
    """Returns one page of a list.

    Args:
        call: The request.
        kind: The kind of record.
        conditions: Select the rows, and identify the list between its pages.
        time_conditions: Change with time, so they do not identify the list.
    """
    name = conditions.signature()
    for term in time_conditions.terms:
        conditions.add(term)
    conditions.parameters.extend(time_conditions.parameters)
    page, order = requested_page(call.query), requested_order(kind, call.query)
    headers: dict[str, str] = {}
    if call.query.get("paginate") != "none":
        total = _total(call, conditions, name, page)
        headers = list_headers(call, page, total, strict=kind.strict)
    keys = _page_keys(call, conditions, name, page, order)
    store = call.shared.store
    rows = store.texts(kind.collection, keys)
    bodies = render(store, kind, rows, requested_fields(call.query))
    return Response(200, b"".join((b"[", b",".join(bodies), b"]")), headers)


def list_headers(call: Call, page: Page, total: int, *, strict: bool = False) -> dict[str, str]:
    """Returns the headers of a page of a list with `total` rows."""
    headers = {"X-Total-Count": str(total)}
    if call.shared.account.link_header:
        base = f"{call.base}{call.path}"
        headers["Link"] = link_header(base, call.query, page, total, strict=strict)
    return headers


def list_embedded(call: Call, records: Sequence[Record]) -> Response:
    """Returns one page of records that another record holds; they cannot be filtered."""
    page = requested_page(call.query)
    body = encode(records[page.offset : page.offset + page.size])
    return Response(200, body, list_headers(call, page, len(records)))


def _total(call: Call, conditions: Conditions, name: str, page: Page) -> int:
    """Counts the rows for the first page; later pages repeat that count."""
    counts = call.shared.counts
    remembered = counts.get(name) if page.number > 1 else None
    if remembered is not None:
        return remembered
    total = call.shared.row_counts.count(conditions)
    counts.put(name, total, seconds=_COUNT_SECONDS)
    return total


def _page_keys(
    call: Call, conditions: Conditions, name: str, page: Page, order: Order
) -> list[int]:
    """Returns the keys of a page's rows, by cursor where Invoiced pages by cursor."""
    service, cursors = call.shared, call.shared.cursors
    where, parameters, offset = conditions.sql, list(conditions.parameters), page.offset
    if order.by_key and offset:
        cursor = cursors.get(name, offset)
        if cursor is not None:
            where = f"{where} AND r.key {'<' if order.descending else '>'} ?"
            parameters.append(cursor)
            offset = 0
        elif offset >= CURSOR_REQUIRED_FROM:
            raise refused(
                "You must retrieve all preceding page numbers before retrieving this page."
            )
    sql = (
        f"SELECT r.key FROM {tables(where, order.sql)} WHERE {where} "  # noqa: S608 - values are bound
        f"ORDER BY {order.sql} LIMIT ? OFFSET ?"
    )
    found = service.store.rows(sql, (*parameters, page.size, offset))
    keys = [row[0] for row in found]
    if order.by_key and keys:
        cursors.put(name, keys[-1], seconds=_CURSOR_SECONDS, offset=page.offset + page.size)
    return keys


def int_or_zero(value: Any) -> int:
    """Casts an id from a path as the database does: without digits it is 0, which no record has."""
    text = str(value)
    return int(text) if text.lstrip("-").isdigit() else 0
