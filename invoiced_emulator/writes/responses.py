"""Responses to writes."""

import msgspec

from invoiced_emulator.calls.call import Call, Response
from invoiced_emulator.lists.read_handlers import record_json
from invoiced_emulator.protocol.exact_json import encode
from invoiced_emulator.records.kinds import KINDS
from invoiced_emulator.records.unit_of_work import Record

NO_CONTENT = Response(204)
_FIELDS = msgspec.json.Decoder(dict[str, msgspec.Raw])


def record_response(call: Call, collection: str, record: Record, status: int = 200) -> Response:
    """Returns the response to a write: the record, with metadata as it was sent."""
    key = record["internal_id"] if KINDS[collection].versioned else int(record["id"])
    body = record_json(call, KINDS[collection], key)
    if isinstance(call.body.get("metadata"), dict):
        # Observed: this response repeats the values as sent; later responses have texts.
        fields = _FIELDS.decode(body)
        if "metadata" in fields:
            fields["metadata"] = msgspec.Raw(encode(call.body["metadata"]))
            body = msgspec.json.encode(fields)
    return Response(status, body)
