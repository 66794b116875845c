"""Creates credit notes, and applies them to an invoice."""

from invoiced_emulator.amounts.money import decimal
from invoiced_emulator.calls.call import Call, Response
from invoiced_emulator.documents.documents import create_document
from invoiced_emulator.documents.kinds import CREDIT_NOTE
from invoiced_emulator.payments.payments import create_payment
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.unit_of_work import Record
from invoiced_emulator.writes.responses import record_response


def create(call: Call) -> Response:
    """Handles POST /credit_notes; a note for an invoice is applied to it."""
    invoice_id = call.body.get("invoice")
    if invoice_id is None:
        note = create_document(call, CREDIT_NOTE, call.body)
        return record_response(call, "credit_notes", note, 201)
    invoice = call.shared.store.get("invoices", invoice_id)
    if invoice is None:
        raise refused(f"No such invoice: {invoice_id}", "invoice")
    inherited = {"customer": invoice["customer"], "currency": invoice["currency"]}
    for name, value in inherited.items():
        if call.body.get(name, value) != value:
            raise refused(f"{name.title()} does not match the invoice", name)
    note = create_document(call, CREDIT_NOTE, inherited | call.body)
    note = call.work.save("credit_notes", note, note | {"invoice": invoice["id"]})
    apply_note(call, note, invoice)
    return record_response(call, "credit_notes", note, 201)


def apply_note(call: Call, note: Record, invoice: Record) -> None:
    """Applies an issued credit note to an invoice by a payment, up to the smaller amount."""
    amount = min(decimal(invoice, "balance"), decimal(note, "total"))
    if amount <= 0 or note["draft"]:
        return
    split = {
        "type": "credit_note",
        "credit_note": note["id"],
        "document_type": "invoice",
        "invoice": invoice["id"],
        "amount": amount,
    }
    body = {"amount": 0, "customer": note["customer"], "currency": note["currency"]}
    create_payment(call, body | {"applied_to": [split]})
