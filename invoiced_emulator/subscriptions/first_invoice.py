"""The first invoice of a subscription."""

from typing import Any

from invoiced_emulator.calls.call import Call
from invoiced_emulator.documents.documents import create_document
from invoiced_emulator.documents.kinds import INVOICE
from invoiced_emulator.payments.autopay import collect
from invoiced_emulator.protocol.errors import ApiError, refused
from invoiced_emulator.records.unit_of_work import Record, UnitOfWork
from invoiced_emulator.subscriptions.terms import addon_definition, unit_price


def issue_first(call: Call, subscription: Record, plan: Record) -> None:
    """Issues the first invoice, and collects it with AutoPay.

    Raises:
        ApiError: 400; the subscription is rolled back with it.
    """
    body = {
        "customer": subscription["customer"],
        "currency": plan["currency"],
        "subscription": subscription["id"],
        "items": subscription_lines(call.work, subscription, plan),
        "discounts": [coupon["id"] for coupon in subscription["discounts"]],
        "taxes": [rate["id"] for rate in subscription["taxes"]],
    }
    try:
        invoice = create_document(call, INVOICE, body)
    except ApiError as err:
        raise refused(err.message) from err
    period = {name: subscription[name] for name in ("period_start", "period_end")}
    own = {"subscription": subscription["id"], "prorated": False, **period}
    invoice["items"] = [line | own for line in invoice["items"]]
    invoice["items"][0]["plan"] = plan["id"]
    call.work.store.put("invoices", invoice)
    customer = call.work.store.get("customers", subscription["customer"]) or {}
    source = customer.get("payment_source")
    if invoice["autopay"] and source and not invoice["paid"]:
        collect(call, invoice, customer, source)


def subscription_lines(work: UnitOfWork, subscription: Record, plan: Record) -> list[Record]:
    """Returns the lines of a billing period, as a request would send them."""
    lines = [_line("plan", plan, subscription["quantity"], subscription.get("amount"))]
    for addon in subscription["addons"]:
        found = addon_definition(work, addon)
        line = _line(found.get("type") or "plan", found, addon["quantity"], addon["amount"])
        lines.append(line | {"description": addon["description"]})
    return lines


def _line(type_: str, definition: Record, quantity: Any, amount: Any) -> Record:
    return {
        "type": type_,
        "name": definition.get("name") or "",
        "quantity": quantity,
        "unit_cost": unit_price(definition, amount),
    }
