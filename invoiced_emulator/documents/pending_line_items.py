"""Pending line items of a customer, and invoices from them."""

from decimal import Decimal

from invoiced_emulator.amounts.line_items import line_items
from invoiced_emulator.amounts.money import rounded
from invoiced_emulator.calls.call import Call, Response
from invoiced_emulator.documents.documents import create_document, save_document, with_defaults
from invoiced_emulator.documents.estimate_invoices import copied_line
from invoiced_emulator.documents.kinds import INVOICE
from invoiced_emulator.lists.read_handlers import key_below
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.kinds import KINDS
from invoiced_emulator.records.properties import as_integer
from invoiced_emulator.records.unit_of_work import Record
from invoiced_emulator.writes.records import unlocked_record
from invoiced_emulator.writes.responses import NO_CONTENT, record_response

COLLECTION = "line_items"


def create(call: Call) -> Response:
    """Handles POST /customers/:id/line_items."""
    customer = unlocked_record(call, "customers", call.arguments[0])
    (line,) = line_items(call.work, [call.body], [])
    line = call.work.create(COLLECTION, _counted(call, line | {"customer": customer["id"]}))
    return record_response(call, COLLECTION, line, 201)


def update(call: Call) -> Response:
    """Handles PATCH /customers/:id/line_items/:id."""
    before = _line(call)
    (after,) = line_items(call.work, [{**call.body, "id": before["id"]}], [before])
    if call.body:
        after = call.work.save(COLLECTION, before, _counted(call, after))
    return record_response(call, COLLECTION, after)


def delete(call: Call) -> Response:
    """Handles DELETE /customers/:id/line_items/:id."""
    call.work.delete(COLLECTION, _line(call))
    return NO_CONTENT


def invoice(call: Call) -> Response:
    """Handles POST /customers/:id/invoices: makes one invoice of all pending lines."""
    customer = unlocked_record(call, "customers", call.arguments[0])
    pending = call.shared.store.of_customer(COLLECTION, customer["id"])
    if not pending:
        raise refused("There are no pending line items to invoice.")
    items = [copied_line(line) for line in pending]
    made = create_document(call, INVOICE, {**call.body, "customer": customer["id"], "items": items})
    for line in pending:
        call.work.delete(COLLECTION, line)
    return record_response(call, "invoices", made, 201)


def consolidate(call: Call) -> Response:
    """Handles POST /customers/:id/consolidate_invoices: one invoice replaces all open ones."""
    customer = unlocked_record(call, "customers", call.arguments[0])
    cutoff = as_integer(call.body.get("cutoff_date")) or call.shared.clock.now()
    open_invoices = [
        with_defaults(each, INVOICE)
        for each in call.shared.store.of_customer("invoices", customer["id"])
        if not (each.get("draft") or each.get("closed") or each.get("voided"))
        and each["date"] <= cutoff
    ]
    if not open_invoices:
        raise refused("There are no invoices to consolidate.")
    lines = [copied_line(line) for each in open_invoices for line in each["items"]]
    made = create_document(
        call,
        INVOICE,
        {"customer": customer["id"], "name": "Consolidated Invoice", "items": lines},
    )
    for each in open_invoices:
        merged = {
            "voided": True,
            "date_voided": call.shared.clock.now(),
            "consolidated_invoice_id": made["id"],
        }
        save_document(call.work, "invoices", each, each | merged)
    return record_response(call, "invoices", made)


def _line(call: Call) -> Record:
    key = key_below(call, KINDS[COLLECTION])
    return call.shared.store.at(COLLECTION, key) or {}


def _counted(call: Call, line: Record) -> Record:
    amount = Decimal(line["quantity"]) * Decimal(line["unit_cost"])
    return line | {"amount": rounded(amount, call.shared.account.currency)}
