"""Collects AutoPay invoices from the customer's payment source."""

from invoiced_emulator.calls.call import Call, Response
from invoiced_emulator.documents.documents import with_defaults
from invoiced_emulator.documents.kinds import INVOICE
from invoiced_emulator.payments.charges import charge
from invoiced_emulator.protocol.errors import ApiError, refused
from invoiced_emulator.records.unit_of_work import Record
from invoiced_emulator.writes.records import committed, record_in_path
from invoiced_emulator.writes.responses import record_response


def pay(call: Call) -> Response:
    """Handles POST /invoices/:id/pay; declined attempts count, too."""
    invoice = with_defaults(record_in_path(call, "invoices"), INVOICE)
    _check(invoice)
    customer = call.shared.store.get("customers", invoice["customer"]) or {}
    source = invoice.get("payment_source") or customer.get("payment_source")
    if not source:
        raise refused("Cannot collect on a customer without a payment source.")
    if source.get("verified") is False:
        raise refused("Cannot collect on a customer until the payment source is verified.")
    try:
        collect(call, invoice, customer, source)
    except ApiError:
        _count_attempt(call, invoice)
        raise
    return record_response(call, "invoices", _count_attempt(call, invoice))


def collect(call: Call, invoice: Record, customer: Record, source: Record) -> None:
    """Charges the balance of an invoice.

    Raises:
        ApiError: 400 with the gateway's text.
    """
    split = {"type": "invoice", "invoice": invoice["id"], "amount": invoice["balance"]}
    details = {
        "amount": invoice["balance"],
        "currency": invoice["currency"],
        "applied_to": [split],
        "source": "autopay",
    }
    charge(call, customer, source, details)


def _check(invoice: Record) -> None:
    refusals = (
        (not invoice["autopay"], "Cannot collect on an invoice without AutoPay enabled."),
        (
            invoice["closed"],
            "Cannot collect on closed invoices. Please reopen the invoice first.",
        ),
        (invoice["voided"], "Cannot collect on voided invoices."),
        (invoice["paid"], "This invoice has already been paid."),
        (
            invoice["draft"],
            "Cannot collect on an invoice that has not been issued yet. "
            "Please issue the invoice first.",
        ),
        (
            invoice["payment_plan"],
            "Cannot collect on an invoice with a payment plan. "
            "Its installments are collected when they are due.",
        ),
    )
    for holds, message in refusals:
        if holds:
            raise refused(message)


def _count_attempt(call: Call, invoice: Record) -> Record:
    current = call.shared.store.get("invoices", invoice["id"]) or invoice
    attempts = {"attempt_count": (current.get("attempt_count") or 0) + 1}
    with committed(call):
        return call.work.save("invoices", current, current | attempts)
