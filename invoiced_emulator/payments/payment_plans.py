"""Payment plans: invoices paid in installments."""

from decimal import Decimal
from typing import Any

from invoiced_emulator.amounts.money import decimal
from invoiced_emulator.calls.call import Call, Response
from invoiced_emulator.documents.documents import with_defaults
from invoiced_emulator.documents.kinds import INVOICE
from invoiced_emulator.lists.read_handlers import record_json, visible_key
from invoiced_emulator.protocol.errors import not_found, refused
from invoiced_emulator.records.kinds import KINDS
from invoiced_emulator.records.properties import as_decimal, as_integer
from invoiced_emulator.records.unit_of_work import Record
from invoiced_emulator.writes.options import refuse_query
from invoiced_emulator.writes.records import unlocked_record
from invoiced_emulator.writes.responses import NO_CONTENT, record_response

COLLECTION = "payment_plans"


def put(call: Call) -> Response:
    """Handles PUT /invoices/:id/payment_plan; replaces an existing plan."""
    work = call.work
    invoice = with_defaults(unlocked_record(call, "invoices", call.arguments[0]), INVOICE)
    if invoice["closed"] or invoice["voided"]:
        raise refused("Payment plans can only be added to open invoices.")
    installments = _installments(call, call.body.get("installments"))
    planned = sum((each["amount"] for each in installments), Decimal(0))
    if planned != decimal(invoice, "balance"):
        raise refused("The installments must add up to the invoice balance.", "installments")
    existing = work.store.get(COLLECTION, invoice.get("payment_plan") or 0)
    if existing is not None:
        work.delete(COLLECTION, existing)
    plan = {"status": "active", "installments": installments, "approval": None}
    plan = work.create(COLLECTION, plan | {"invoice": invoice["id"]})
    autopay = {"autopay": True} if call.body.get("autopay") else {}
    work.save("invoices", invoice, invoice | {"payment_plan": plan["id"]} | autopay)
    return record_response(call, COLLECTION, plan)


def retrieve(call: Call) -> Response:
    """Handles GET /invoices/:id/payment_plan."""
    key = visible_key(call, KINDS["invoices"], call.arguments[0])
    plan = _plan_of(call, call.shared.store.at("invoices", key) or {})
    return Response(200, record_json(call, KINDS[COLLECTION], plan["id"]))


def cancel(call: Call) -> Response:
    """Handles DELETE /invoices/:id/payment_plan."""
    refuse_query(call)
    invoice = with_defaults(unlocked_record(call, "invoices", call.arguments[0]), INVOICE)
    call.work.delete(COLLECTION, _plan_of(call, invoice))
    call.work.save("invoices", invoice, invoice | {"payment_plan": None})
    return NO_CONTENT


def _plan_of(call: Call, invoice: Record) -> Record:
    plan = call.shared.store.get(COLLECTION, invoice.get("payment_plan") or 0)
    if plan is None:
        raise not_found("Payment Plan", invoice.get("payment_plan") or "")
    return plan


def _installments(call: Call, sent: Any) -> list[Record]:
    installments = []
    for each in sent if isinstance(sent, list) else ():
        values = each if isinstance(each, dict) else {}
        date, amount = as_integer(values.get("date")), as_decimal(values.get("amount"))
        if date is None or amount is None or amount <= 0:
            raise refused("Installments is invalid", "installments")
        number = call.work.store.next_value("installments")
        installments.append({"id": number, "date": date, "amount": amount, "balance": amount})
    if not installments:
        raise refused("Installments is missing", "installments")
    return installments
