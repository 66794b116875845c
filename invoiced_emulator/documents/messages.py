"""Records emails, letters and text messages; nothing is sent."""

from collections.abc import Mapping

from invoiced_emulator.calls.call import Call, Handler, Response, json_response
from invoiced_emulator.calls.route_table import Route
from invoiced_emulator.documents.documents import save_document, with_defaults
from invoiced_emulator.documents.kinds import DOCUMENTS
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.protocol.exact_json import decode
from invoiced_emulator.records.properties import as_boolean
from invoiced_emulator.records.unit_of_work import Record
from invoiced_emulator.writes.records import committed, record_in_path
from invoiced_emulator.writes.responses import record_response

_SENT_FROM: Mapping[str, tuple[str, ...]] = {
    "customers": ("emails", "letters", "text_messages"),
    "invoices": ("emails", "letters", "text_messages"),
    "credit_notes": ("emails",),
    "estimates": ("emails",),
    "payments": ("emails",),
}


def message_routes() -> list[Route]:
    """Returns the routes of messages; a message is committed before the response is built."""
    return [
        Route("POST", f"{path}/{{}}/{medium}", _send_handler(path, medium), atomic=False)
        for path, media in _SENT_FROM.items()
        for medium in media
    ]


def send_email(call: Call, collection: str, record: Record) -> Record:
    """Records an email to the addresses of the body, else the customer; marks documents sent.

    Raises:
        ApiError: 400 when there is no address.
    """
    body = call.body
    to = body.get("to")
    if not to:
        customer = _customer(call, collection, record)
        to = [{"name": customer.get("name"), "email": customer.get("email")}]
    addresses = [each.get("email") for each in to if isinstance(each, dict)]
    if not all(addresses) or not addresses:
        raise refused("No email recipients given. At least one recipient must be provided.", "to")
    texts = {name: body.get(name) for name in ("template", "subject", "message", "bcc")}
    content = texts | {"email": addresses[0], "opens": 0, "clicks": 0, "reject_reason": None}
    return _sent(call, "emails", collection, record, content)


def emailing_handler(collection: str, create: Handler) -> Handler:
    """Returns the handler of POST, which emails the document when `send` is true.

    A customer without an email address gets none.
    """

    def handle(call: Call) -> Response:
        response = create(call)
        if not as_boolean(call.body.get("send", False)):
            return response
        record = call.shared.store.get(collection, decode(response.body or b"{}")["id"]) or {}
        if not _customer(call, collection, record).get("email"):
            return response
        send_email(call, collection, record)
        return record_response(call, collection, record, response.status)

    return handle


def _send_handler(collection: str, medium: str) -> Handler:
    def handle(call: Call) -> Response:
        record = record_in_path(call, collection)
        with committed(call):
            if medium == "emails":
                message = send_email(call, collection, record)
            elif medium == "letters":
                message = _sent(call, medium, collection, record, {"num_pages": 1})
            else:
                to = _customer(call, collection, record).get("phone")
                content = {"to": to, "message": call.body.get("message")}
                message = _sent(call, medium, collection, record, content)
        return json_response(201, [dict(sorted(message.items()))])

    return handle


def _customer(call: Call, collection: str, record: Record) -> Record:
    if collection == "customers":
        return record
    return call.shared.store.get("customers", record.get("customer") or 0) or {}


def _sent(call: Call, medium: str, collection: str, record: Record, content: Record) -> Record:
    work = call.work
    message = work.create(medium, {"state": "sent", **content}, silent=True)
    work.add_event(medium, message, "sent")
    if collection in DOCUMENTS:
        before = with_defaults(record, DOCUMENTS[collection])
        after = before | {"sent": True, "last_sent": work.clock.now()}
        save_document(work, collection, before, after)
    return message
