"""Creates, updates, pauses, resumes and cancels subscriptions."""

from decimal import Decimal

from invoiced_emulator.amounts.line_items import line_items, rates
from invoiced_emulator.amounts.totals import calculate
from invoiced_emulator.calls.call import Call, Response, json_response
from invoiced_emulator.customers.shipping_address import shipping_address
from invoiced_emulator.protocol.clock import DAY
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.kinds import KINDS
from invoiced_emulator.records.properties import Property, accepted_values, as_boolean, as_decimal
from invoiced_emulator.records.unit_of_work import Record
from invoiced_emulator.records.web_pages import page_address
from invoiced_emulator.subscriptions.billing_periods import current_period
from invoiced_emulator.subscriptions.checks import check_billing, check_start, subscriber
from invoiced_emulator.subscriptions.first_invoice import issue_first, subscription_lines
from invoiced_emulator.subscriptions.terms import (
    check_amount,
    plan_of,
    recurring_amounts,
    requested_addons,
)
from invoiced_emulator.writes.options import refuse_query
from invoiced_emulator.writes.records import record_in_path
from invoiced_emulator.writes.responses import record_response

_STAMP = Property("stamp")
_INTEGER = Property("integer")
_BOOLEAN = Property("boolean", nullable=False)
_PROPERTIES = {
    "description": Property(longest=65_535),
    "cycles": _INTEGER,
    "start_date": Property("stamp", nullable=False),
    "bill_in": Property("choice", nullable=False, choices=("advance", "arrears")),
    "bill_in_advance_days": _INTEGER,
    "snap_to_nth_day": _INTEGER,
    "cancel_at_period_end": _BOOLEAN,
    "contract_period_start": _STAMP,
    "contract_period_end": _STAMP,
    "contract_renewal_cycles": _INTEGER,
    "contract_renewal_mode": Property(
        "choice", nullable=False, choices=("none", "renew_once", "manual", "auto")
    ),
    "ship_to": Property("any"),
    "metadata": Property("metadata"),
}
_EMPTY = (
    "amount description cycles period_start period_end renewed_last renews_next snap_to_nth_day "
    "canceled_at canceled_reason contract_period_start contract_period_end "
    "contract_renewal_cycles ship_to payment_source approval"
)
_CANCEL = {"canceled_reason": Property(longest=50)}


def create(call: Call) -> Response:
    """Handles POST /subscriptions."""
    work = call.work
    subscription, plan = _requested(call)
    subscription = work.create("subscriptions", subscription)
    account = call.shared.account
    if account.invoices_new_subscriptions and _is_due(subscription):
        issue_first(call, subscription, plan)
        subscription |= {"num_invoices": 1}
        work.store.put("subscriptions", subscription)
    return record_response(call, "subscriptions", subscription, 201)


def preview(call: Call) -> Response:
    """Handles POST /subscriptions/preview: returns the first invoice; stores nothing."""
    subscription, plan = _requested(call)
    first: Record = {
        "object": "invoice",
        "customer": subscription["customer"],
        "currency": plan["currency"],
        "items": line_items(call.work, subscription_lines(call.work, subscription, plan), []),
        "discounts": rates(call.work, "coupon", [each["id"] for each in subscription["discounts"]]),
        "taxes": rates(call.work, "tax_rate", [each["id"] for each in subscription["taxes"]]),
    }
    totals = calculate(first)
    first |= {"subtotal": totals.subtotal, "total": totals.total, "balance": totals.total}
    priced_at = {name: subscription[name] for name in ("mrr", "recurring_total")}
    return json_response(200, {"first_invoice": dict(sorted(first.items())), **priced_at})


def _requested(call: Call) -> tuple[Record, Record]:
    """Returns the subscription of a body, not stored, and its plan."""
    body, work = call.body, call.work
    customer = subscriber(call, body.get("customer"))
    plan = plan_of(work, body.get("plan"))
    values = _values(call)
    check_amount(plan, body.get("amount"))
    now = work.clock.now()
    start = values.setdefault("start_date", now - now % DAY)
    check_start(start, now, autopay=bool(customer.get("autopay")))
    subscription = {
        **dict.fromkeys(_EMPTY.split()),
        "customer": customer["id"],
        "plan": plan["id"],
        "plan_id": plan["internal_id"],
        "bill_in": "advance",
        "bill_in_advance_days": 0,
        "cancel_at_period_end": False,
        "contract_renewal_mode": "none",
        "paused": as_boolean(body.get("paused", False)),
        "canceled": False,
        "finished": False,
        "pending_renewal": False,
        "num_invoices": 0,
        "metadata": {},
        **values,
        "amount": as_decimal(body.get("amount")),
        "quantity": _quantity(body.get("quantity", 1)),
        "addons": requested_addons(work, plan, body.get("addons")),
        "discounts": _definitions(call, "coupons", body.get("discounts")),
        "taxes": _definitions(call, "tax_rates", body.get("taxes")),
    }
    check_billing(subscription, plan)
    subscription["id"] = work.store.next_key("subscriptions")
    subscription["url"] = page_address("subscriptions", subscription["id"])
    subscription |= _current(subscription, plan, now)
    return subscription | recurring_amounts(work, subscription, plan), plan


def update(call: Call) -> Response:
    """Handles PATCH /subscriptions/:id; even an empty body moves `updated_at`."""
    body, work = call.body, call.work
    before = record_in_path(call, "subscriptions")
    if "customer" in body:
        raise refused(
            "Invalid request parameter `customer`. The customer cannot be modified.", "customer"
        )
    paused = as_boolean(body.get("paused", before.get("paused", False)))
    if paused != bool(before.get("paused")):
        return _set_paused(call, before, paused=paused)
    if "start_date" in body and before.get("status") != "not_started":
        raise refused("The start date cannot be modified for an active subscription")
    after = before | _values(call)
    plan = plan_of(work, body.get("plan", before.get("plan")))
    after |= {"plan": plan["id"], "plan_id": plan["internal_id"]}
    if "quantity" in body:
        after["quantity"] = _quantity(body["quantity"])
    if "amount" in body:
        check_amount(plan, body["amount"])
        after["amount"] = as_decimal(body["amount"])
    if "addons" in body:
        after["addons"] = requested_addons(work, plan, body["addons"])
    for name, collection in (("discounts", "coupons"), ("taxes", "tax_rates")):
        if name in body:
            after[name] = _definitions(call, collection, body[name])
    check_billing(after, plan)
    if {"plan", "quantity", "amount", "addons", "discounts", "taxes"} & body.keys():
        after |= recurring_amounts(work, after, plan)
    return record_response(call, "subscriptions", work.save("subscriptions", before, after))


def cancel(call: Call) -> Response:
    """Handles DELETE /subscriptions/:id: the record stays, with status canceled."""
    refuse_query(call)
    before = record_in_path(call, "subscriptions")
    if before.get("canceled") or before.get("status") == "canceled":
        raise refused("This subscription has already been canceled.")
    work = call.work
    after = before | {
        "canceled": True,
        "status": "canceled",
        "canceled_at": work.clock.now(),
        **accepted_values({"canceled_reason": call.body.get("canceled_reason")}, _CANCEL),
        "period_start": None,
        "period_end": None,
        "renews_next": None,
    }
    work.name_event("subscriptions", before["id"], "deleted")
    return record_response(call, "subscriptions", work.save("subscriptions", before, after))


def pause(call: Call) -> Response:
    """Handles POST /subscriptions/:id/pause."""
    return _set_paused(call, record_in_path(call, "subscriptions"), paused=True)


def resume(call: Call) -> Response:
    """Handles POST /subscriptions/:id/resume."""
    return _set_paused(call, record_in_path(call, "subscriptions"), paused=False)


def _set_paused(call: Call, before: Record, *, paused: bool) -> Response:
    after = before | {"paused": paused, "status": "paused" if paused else "active"}
    return record_response(call, "subscriptions", call.work.save("subscriptions", before, after))


def _values(call: Call) -> Record:
    values = accepted_values(call.body, _PROPERTIES, model="Subscription")
    if "ship_to" in values:
        values["ship_to"] = shipping_address(call.work, values["ship_to"])
    return values


def _is_due(subscription: Record) -> bool:
    return subscription["bill_in"] == "advance" and subscription["status"] == "active"


def _current(subscription: Record, plan: Record, now: int) -> Record:
    """Returns status and period of a new subscription."""
    start = subscription["start_date"]
    if start > now:
        return {"status": "not_started", "renews_next": start}
    begin, end = current_period(start, plan["interval"], plan["interval_count"], now)
    return {
        "status": "paused" if subscription["paused"] else "active",
        "period_start": begin,
        "period_end": end,
        "renewed_last": begin,
        "renews_next": end + 1,
    }


def _quantity(value: object) -> Decimal:
    quantity = as_decimal(value)
    if quantity is None or quantity <= 0:
        raise refused("Quantity is invalid", "quantity")
    return quantity


def _definitions(call: Call, collection: str, sent: object) -> list[Record]:
    """Returns the coupons or tax rates of a subscription."""
    found = []
    for each in sent if isinstance(sent, list) else ():
        record = call.shared.store.get(collection, str(each))
        if record is None:
            name = "coupon" if collection == "coupons" else "tax rate"
            raise refused(f"No such {name}: {each}")
        found.append(KINDS[collection].visible(record))
    return found
