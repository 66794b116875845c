"""Makes invoices from estimates."""

from invoiced_emulator.calls.call import Call, Response
from invoiced_emulator.documents.documents import create_document, save_document, with_defaults
from invoiced_emulator.documents.kinds import ESTIMATE, INVOICE
from invoiced_emulator.protocol.errors import ApiError, refused
from invoiced_emulator.records.unit_of_work import Record
from invoiced_emulator.writes.records import record_in_path
from invoiced_emulator.writes.responses import record_response

_COPIED = ("customer", "currency", "payment_terms", "purchase_order", "notes", "ship_to")
_LINE = (
    "name", "description", "type", "catalog_item", "quantity", "unit_cost", "discountable",
    "taxable", "metadata",
)  # fmt: skip


def generate_invoice(call: Call) -> Response:
    """Handles POST /estimates/:id/invoice: makes a new invoice with the same lines each time."""
    estimate = with_defaults(record_in_path(call, "estimates"), ESTIMATE)
    body = {name: estimate[name] for name in _COPIED if estimate.get(name) is not None}
    body["items"] = [copied_line(line) for line in estimate["items"]]
    body["discounts"] = _rates(estimate["discounts"], "coupon")
    body["taxes"] = _rates(estimate["taxes"], "tax_rate")
    try:
        invoice = create_document(call, INVOICE, body)
    except ApiError as err:
        raise refused(f"Could not generate invoice from estimate: {err.message}") from err
    linked = estimate | {"invoice": invoice["id"], "closed": True}
    save_document(call.work, "estimates", estimate, linked)
    return record_response(call, "invoices", invoice, 201)


def copied_line(line: Record) -> Record:
    """Returns a line as a request for an equal line would send it."""
    copied = {name: line[name] for name in _LINE if line.get(name) is not None}
    copied["discounts"] = _rates(line.get("discounts", []), "coupon")
    copied["taxes"] = _rates(line.get("taxes", []), "tax_rate")
    return copied


def _rates(rates: list[Record], name: str) -> list[Record]:
    return [
        {name: rate[name]["id"]} if rate.get(name) else {"amount": rate["amount"]} for rate in rates
    ]
