"""Writes off invoices by a credit note called Bad Debt."""

from invoiced_emulator.amounts.money import decimal
from invoiced_emulator.calls.call import Call, Response
from invoiced_emulator.documents.documents import create_document, save_document, with_defaults
from invoiced_emulator.documents.kinds import CREDIT_NOTE, INVOICE
from invoiced_emulator.payments.credit_notes import apply_note
from invoiced_emulator.protocol.errors import ApiError
from invoiced_emulator.writes.records import record_in_path
from invoiced_emulator.writes.responses import record_response

_NAME = "Bad Debt"


def write_off(call: Call) -> Response:
    """Handles POST /invoices/:id/bad_debt; refuses with status 500, as observed."""
    invoice = with_defaults(record_in_path(call, "invoices"), INVOICE)
    balance = decimal(invoice, "balance")
    if invoice["closed"] or invoice["draft"] or invoice["voided"] or balance <= 0:
        raise ApiError(500, "", type="api_error")
    written_off = {
        "closed": True,
        "date_bad_debt": call.shared.clock.now(),
        "amount_written_off": balance,
    }
    saved = save_document(call.work, "invoices", invoice, invoice | written_off)
    note = create_document(
        call,
        CREDIT_NOTE,
        {
            "customer": invoice["customer"],
            "currency": invoice["currency"],
            "name": _NAME,
            "items": [{"name": _NAME, "unit_cost": balance}],
        },
    )
    note = call.work.save("credit_notes", note, note | {"invoice": invoice["id"]})
    apply_note(call, note, saved)
    return record_response(call, "invoices", saved)
