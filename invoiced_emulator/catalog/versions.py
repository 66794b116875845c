"""Catalog objects are archived instead of deleted, and then their id may be used again."""

import re
import secrets
import string

from invoiced_emulator.calls.call import Call, Handler, Response
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.schema import SHOWN
from invoiced_emulator.writes.options import refuse_query
from invoiced_emulator.writes.records import record_in_path
from invoiced_emulator.writes.responses import NO_CONTENT

_ID = re.compile(r"[a-z0-9_:-]{2,}", re.IGNORECASE)
_ALPHABET = string.ascii_letters + string.digits


def archive_handler(collection: str) -> Handler:
    """Returns the handler of DELETE, which archives; archiving twice is no error."""

    def handle(call: Call) -> Response:
        refuse_query(call)
        record = record_in_path(call, collection)
        if not record.get("archived"):
            call.work.save(collection, record, record | {"archived": True})
        return NO_CONTENT

    return handle


def new_id(call: Call, collection: str) -> str:
    """Returns the id that a request gives, or a random one.

    Raises:
        ApiError: 400 with param `id`, for an invalid id or one in use.
    """
    record_id = call.body.get("id")
    if record_id in (None, ""):
        return "".join(secrets.choice(_ALPHABET) for _ in range(6))
    if not isinstance(record_id, str) or not _ID.fullmatch(record_id):
        raise refused("Id is invalid", "id")
    sql = "SELECT 1 FROM records WHERE collection = ? AND id = ? AND state = ?"
    if call.shared.store.rows(sql, (collection, record_id, SHOWN)):
        raise refused(f"An item already exists with ID: {record_id}", "id")
    return record_id
