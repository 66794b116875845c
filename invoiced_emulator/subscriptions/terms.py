"""The price of a subscription: plan, addons and recurring amounts."""

from decimal import Decimal
from typing import Any

from invoiced_emulator.amounts.line_items import nested_id
from invoiced_emulator.amounts.money import rounded
from invoiced_emulator.amounts.totals import calculate
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.properties import as_decimal
from invoiced_emulator.records.unit_of_work import Record, UnitOfWork
from invoiced_emulator.subscriptions.billing_periods import interval_text, monthly


def plan_of(work: UnitOfWork, plan_id: Any) -> Record:
    """Returns the plan that a body names.

    Raises:
        ApiError: 400 `Plan missing` or `No such plan: x`.
    """
    if plan_id in (None, ""):
        raise refused("Plan missing")
    plan = work.store.get("plans", str(plan_id))
    if plan is None:
        raise refused(f"No such plan: {plan_id}")
    return plan


def check_amount(plan: Record, amount: Any) -> None:
    """Refuses an amount without a custom plan, and a custom plan without an amount.

    Raises:
        ApiError: 400 with Invoiced's text.
    """
    custom = plan.get("pricing_mode") == "custom"
    if amount is not None and not custom:
        raise refused("Amounts are only allowed when the plan has a custom pricing mode")
    if amount is None and custom:
        raise refused("An amount is required when the subscription has a custom plan")


def requested_addons(work: UnitOfWork, plan: Record, sent: Any) -> list[Record]:
    """Returns the addons of a request.

    Raises:
        ApiError: 400 for an unknown plan or one with another billing cycle.
    """
    now = work.clock.now()
    addons = []
    for each in sent if isinstance(sent, list) else ():
        addon_plan = plan_of(work, each["plan"]) if each.get("plan") else None
        if addon_plan is not None:
            _check_cycle(plan, addon_plan)
        addons.append(
            {
                "id": nested_id(work),
                "object": "subscription_addon",
                "plan": addon_plan["id"] if addon_plan else None,
                "catalog_item": each.get("catalog_item"),
                "quantity": as_decimal(each.get("quantity", 1)) or Decimal(1),
                "description": each.get("description"),
                "amount": as_decimal(each.get("amount")),
                "created_at": now,
                "updated_at": now,
            }
        )
    return addons


def recurring_amounts(work: UnitOfWork, subscription: Record, plan: Record) -> Record:
    """Returns `recurring_total` (per billing period) and `mrr` (per month)."""
    currency = plan.get("currency") or work.account.currency
    lines = [_priced_line(subscription["quantity"], subscription.get("amount"), plan)]
    for addon in subscription["addons"]:
        found = addon_definition(work, addon)
        lines.append(_priced_line(addon["quantity"], addon["amount"], found))
    document: Record = {
        "currency": currency,
        "items": lines,
        "discounts": [{"coupon": coupon, "amount": 0} for coupon in subscription["discounts"]],
        "taxes": [{"tax_rate": rate, "amount": 0} for rate in subscription["taxes"]],
    }
    totals = calculate(document)
    discounts = sum((each["amount"] for each in document["discounts"]), Decimal(0))
    per_month = monthly(totals.subtotal - discounts, plan["interval"], plan["interval_count"])
    return {"recurring_total": totals.total, "mrr": rounded(per_month, currency)}


def addon_definition(work: UnitOfWork, addon: Record) -> Record:
    """Returns the plan or item of an addon; empty when it does not exist."""
    name, collection = ("plan", "plans") if addon["plan"] else ("catalog_item", "items")
    return work.store.get(collection, str(addon[name])) or {}


def unit_price(definition: Record, amount: Any) -> Any:
    """Returns `amount` if there is one, else the price of the plan or item."""
    price = amount if amount is not None else definition.get("amount", definition.get("unit_cost"))
    return price or 0


def _priced_line(quantity: Any, amount: Any, definition: Record) -> Record:
    price = unit_price(definition, amount)
    return {"quantity": quantity, "unit_cost": price, "discounts": [], "taxes": []}


def _check_cycle(plan: Record, addon: Record) -> None:
    own = interval_text(plan["interval"], plan["interval_count"])
    other = interval_text(addon["interval"], addon["interval_count"])
    if own != other:
        raise refused(
            f'Billing cycle for addon "{addon["id"]}" ({other}) does not match the '
            f"subscription's billing cycle ({own}). Please ensure that both have the same "
            "billing cycle."
        )
