"""Creates and deletes files, and lists the attachments of documents and payments."""

from collections.abc import Mapping
from typing import Any

from invoiced_emulator.calls.call import Call, Handler, Response
from invoiced_emulator.calls.route_table import Route
from invoiced_emulator.lists.read_handlers import list_embedded, visible_key
from invoiced_emulator.protocol.errors import not_found
from invoiced_emulator.records.kinds import KINDS
from invoiced_emulator.records.properties import Property, accepted_values, as_integer, missing
from invoiced_emulator.records.unit_of_work import Record
from invoiced_emulator.writes.options import refuse_query
from invoiced_emulator.writes.records import record_in_path
from invoiced_emulator.writes.responses import NO_CONTENT, record_response

_PROPERTIES: Mapping[str, Property] = {
    "name": Property(nullable=False),
    "url": Property(nullable=False, longest=1000),
    "type": Property(),
    "size": Property("integer"),
}
_ATTACHED = ("invoices", "credit_notes", "estimates", "payments")


def file_routes() -> list[Route]:
    """Returns the routes of files and attachments, but for reading one file."""
    return [
        Route("POST", "files", _create),
        Route("DELETE", "files/{}", _delete),
        *(Route("GET", f"{path}/{{}}/attachments", _list_handler(path)) for path in _ATTACHED),
    ]


def attachment_ids(call: Call, sent: Any) -> list[int]:
    """Returns the ids of the files that a body attaches.

    Raises:
        ApiError: 404 for a file that does not exist.
    """
    ids = []
    for each in sent if isinstance(sent, list) else ():
        file_id = as_integer(each)
        if file_id is None or call.shared.store.get("files", file_id) is None:
            raise not_found("File", each)
        ids.append(file_id)
    return ids


def _create(call: Call) -> Response:
    values = accepted_values(call.body, _PROPERTIES)
    for name in ("name", "url"):
        if values.get(name) is None:
            raise missing(name)
    file = call.work.create("files", {**dict.fromkeys(_PROPERTIES), **values}, silent=True)
    return record_response(call, "files", file, 201)


def _delete(call: Call) -> Response:
    refuse_query(call)
    call.work.delete("files", record_in_path(call, "files"), silent=True)
    return NO_CONTENT


def _list_handler(collection: str) -> Handler:
    def handle(call: Call) -> Response:
        store = call.shared.store
        key = visible_key(call, KINDS[collection], call.arguments[0])
        record: Record = store.at(collection, key) or {}
        files = [store.get("files", file_id) for file_id in record.get("attachments") or ()]
        return list_embedded(call, [{"file": file} for file in files if file is not None])

    return handle
