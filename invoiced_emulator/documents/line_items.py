"""Creates, reads, updates and deletes single lines of a document."""

from collections.abc import Callable
from typing import Any

from invoiced_emulator.amounts.document_amounts import set_amounts
from invoiced_emulator.amounts.line_items import line_items
from invoiced_emulator.calls.call import Call, Handler, Response, json_response
from invoiced_emulator.calls.route_table import Route
from invoiced_emulator.documents.checks import check_editable, check_new_total
from invoiced_emulator.documents.documents import save_document, with_defaults
from invoiced_emulator.documents.kinds import DocumentKind
from invoiced_emulator.lists.read_handlers import list_embedded, visible_key
from invoiced_emulator.protocol.errors import not_found
from invoiced_emulator.records.kinds import KINDS
from invoiced_emulator.records.properties import as_integer
from invoiced_emulator.records.unit_of_work import Record
from invoiced_emulator.writes.records import unlocked_record
from invoiced_emulator.writes.responses import NO_CONTENT

_COUNTED = frozenset({"quantity", "unit_cost", "discountable", "taxable", "discounts", "taxes"})
"""Changing one of these recalculates the document and moves its `updated_at`."""


def line_routes(kind: DocumentKind) -> list[Route]:
    """Returns the routes of the lines of a kind of document."""
    path = f"{kind.collection}/{{}}/line_items"

    def bound(handle: Callable[[Call, DocumentKind], Response]) -> Handler:
        return lambda call: handle(call, kind)

    return [
        Route("GET", path, bound(_list)),
        Route("POST", path, bound(_create)),
        Route("GET", f"{path}/{{}}", bound(_retrieve)),
        Route("PATCH", f"{path}/{{}}", bound(_update)),
        Route("DELETE", f"{path}/{{}}", bound(_delete)),
    ]


def _list(call: Call, kind: DocumentKind) -> Response:
    return list_embedded(call, _read(call, kind)["items"])


def _retrieve(call: Call, kind: DocumentKind) -> Response:
    return json_response(200, _line_of(_read(call, kind), call.arguments[1]))


def _create(call: Call, kind: DocumentKind) -> Response:
    document = _changed(call, kind)
    lines = [*document["items"], *line_items(call.work, [call.body], [])]
    saved = _recalculated(call, kind, document, lines)
    return json_response(201, saved["items"][-1])


def _update(call: Call, kind: DocumentKind) -> Response:
    document = _changed(call, kind)
    line = _line_of(document, call.arguments[1])
    (after,) = line_items(call.work, [{**call.body, "id": line["id"]}], [line])
    lines = [after if each["id"] == line["id"] else each for each in document["items"]]
    if _COUNTED & call.body.keys():
        document = _recalculated(call, kind, document, lines)
    elif call.body:
        call.shared.store.put(kind.collection, document | {"items": lines})
    return json_response(200, _line_of(document | {"items": lines}, line["id"]))


def _delete(call: Call, kind: DocumentKind) -> Response:
    document = _changed(call, kind)
    line = _line_of(document, call.arguments[1])
    lines = [each for each in document["items"] if each["id"] != line["id"]]
    _recalculated(call, kind, document, lines)
    return NO_CONTENT


def _read(call: Call, kind: DocumentKind) -> Record:
    key = visible_key(call, KINDS[kind.collection], call.arguments[0])
    return with_defaults(call.shared.store.at(kind.collection, key) or {}, kind)


def _changed(call: Call, kind: DocumentKind) -> Record:
    document = with_defaults(unlocked_record(call, kind.collection, call.arguments[0]), kind)
    check_editable(document, {})
    return document


def _line_of(document: Record, line_id: Any) -> Record:
    wanted = as_integer(line_id)
    for line in document["items"]:
        if line.get("id") == wanted:
            return line
    raise not_found("Line Item", line_id)


def _recalculated(call: Call, kind: DocumentKind, document: Record, lines: list[Record]) -> Record:
    after = document | {"items": lines}
    set_amounts(call.work, after, {})
    check_new_total(call, kind, document, after)
    return save_document(call.work, kind.collection, document, after)
