"""Subscriptions: the plan, addons, coupons and taxes that are billed, period after period."""

from decimal import Decimal

from invoiced_emulator.seed.documents.invoices import issue_invoice
from invoiced_emulator.seed.documents.line_items import add_up, line_item
from invoiced_emulator.seed.ledger.account import Account, Record
from invoiced_emulator.seed.ledger.business_time import DAY, add_months
from invoiced_emulator.seed.ledger.history import advance
from invoiced_emulator.seed.ledger.kinds import SUBSCRIPTION
from invoiced_emulator.seed.ledger.ledger import Ledger
from invoiced_emulator.seed.ledger.money import Number, converted, rounded
from invoiced_emulator.seed.subscriptions.terms import (
    FATES,
    end_of,
    life,
    period_months,
    periods_begun,
    start_of,
)

_BLANK: Record = {
    "period_start": None,
    "period_end": None,
    "renewed_last": None,
    "bill_in": "advance",
    "bill_in_advance_days": 0,
    "snap_to_nth_day": None,
    "cancel_at_period_end": False,
    "canceled_at": None,
    "canceled_reason": None,
    "paused": False,
    "contract_period_start": None,
    "contract_period_end": None,
    "status": "not_started",
    "ship_to": None,
    "payment_source": None,
    "approval": None,
    "canceled": False,
    "finished": False,
    "pending_renewal": False,
    "prorate": True,
    "num_invoices": 0,
    "object": "subscription",
}


def subscribe(ledger: Ledger, account: Account, *, monthly: bool) -> None:
    """Subscribes the customer, at once or, if the start lies ahead, a few days before today."""
    count = int(ledger.next_number("SUB").removeprefix("SUB-"))
    fate = FATES[count % len(FATES)]
    signed = ledger.clock if fate != "not_started" else ledger.now - 5 * DAY
    ledger.at(max(signed, ledger.clock), _subscribe, ledger, account, monthly, fate)


def _subscribe(ledger: Ledger, account: Account, monthly: bool, fate: str) -> None:  # noqa: FBT001
    """Begins a subscription now, plans its invoices and hands it out as it is today."""
    internal_id, plan = _choose_plan(ledger, account, monthly=monthly)
    months = period_months(plan)
    start = ledger.now + 20 * DAY if fate == "not_started" else start_of(ledger, account)
    if start > ledger.now and fate != "not_started":
        return
    end = end_of(ledger, fate, start, months)
    state = _subscription(ledger, account, internal_id, plan, start)
    state["cycles"] = None if fate != "finished" else periods_begun(start, months, end)
    state |= _billing(ledger, account, state)
    ledger.catalog.subscribe(internal_id)
    ledger.announce(SUBSCRIPTION, "created", state, account)
    steps = life(ledger, state, fate, months, end)
    final = advance(ledger, SUBSCRIPTION, state, steps, account=account)
    ledger.give("subscriptions", final)
    ledger.at(start, _bill, ledger, account, final, end)


def _bill(
    ledger: Ledger, account: Account, subscription: Record, end: int, period: int = 0
) -> None:
    """Invoices one period and plans the next."""
    plan = ledger.catalog.version(subscription["plan_id"])
    months = period_months(plan)
    start = subscription["start_date"]
    from_, until = add_months(start, period * months), add_months(start, (period + 1) * months)
    lines = _lines(ledger, account, subscription)
    for line in lines:
        line |= {
            "subscription": subscription["id"],
            "period_start": from_,
            "period_end": until,
            "prorated": False,
        }
    coupon = subscription["discounts"][0] if subscription["discounts"] else None
    issue_invoice(ledger, account, lines, subscription=subscription["id"], coupon=coupon)
    if until < end:
        ledger.at(until, _bill, ledger, account, subscription, end, period + 1)


def _lines(ledger: Ledger, account: Account, subscription: Record) -> list[Record]:
    plan = ledger.catalog.version(subscription["plan_id"])
    parts = _priced(plan, subscription["quantity"], subscription["amount"])
    lines = [_plan_line(ledger, account, plan, *part) for part in parts]
    addons = {plan["id"]: plan for plan in ledger.catalog.addon_plans_of(account.currency)}
    for addon in subscription["addons"]:
        plan = addons[addon["plan"]]
        lines.append(_plan_line(ledger, account, plan, addon["quantity"], plan["amount"]))
    return lines


def _plan_line(
    ledger: Ledger, account: Account, plan: Record, quantity: Number, unit_cost: Number
) -> Record:
    line = line_item(ledger, plan["name"], quantity, unit_cost, account.currency, item_type="plan")
    return {**line, "plan": plan["id"]}


def _priced(plan: Record, quantity: Number, amount: Number | None) -> list[tuple[Number, Number]]:
    """Quantity and unit cost of each line: one, or one per tier of tiered pricing."""
    mode, tiers = plan["pricing_mode"], plan["tiers"] or []
    if mode == "volume":
        fits = next(t for t in tiers if t["max_qty"] is None or quantity <= t["max_qty"])
        return [(quantity, fits["unit_cost"])]
    if mode == "tiered":
        parts, below = [], 0
        for tier in tiers:
            upper = quantity if tier["max_qty"] is None else min(quantity, tier["max_qty"])
            if upper > below:
                parts.append((upper - below, tier["unit_cost"]))
            below = upper
        return parts
    return [(quantity, plan["amount"] if amount is None else amount)]


def _billing(ledger: Ledger, account: Account, state: Record) -> Record:
    """What one period comes to, and the same per month."""
    plan = ledger.catalog.version(state["plan_id"])
    coupon = state["discounts"][0] if state["discounts"] else None
    lines = _lines(ledger, account, state)
    total = add_up(lines, account.currency, coupon=coupon, tax_rate=account.tax_rate).total
    months = period_months(plan)
    return {
        "recurring_total": total,
        "mrr": rounded(Decimal(total) / months, account.currency),
    }


def _choose_plan(ledger: Ledger, account: Account, *, monthly: bool) -> tuple[int, Record]:
    plans = ledger.catalog.plans_of(account.currency)
    wanted = [
        (internal_id, plan)
        for internal_id, plan in plans
        if (plan["interval"] == "month" and plan["interval_count"] == 1) is monthly
        and plan["created_at"] <= ledger.clock
    ]
    return ledger.random.choice(wanted or plans)


def _subscription(
    ledger: Ledger, account: Account, internal_id: int, plan: Record, start: int
) -> Record:
    random = ledger.random
    tiered = bool(plan["tiers"])
    custom = plan["pricing_mode"] == "custom"
    quantity: Number = random.choice((5, 12, 30, 75)) if tiered else random.choice((1, 1, 1, 2, 4))
    if random.random() < 0.05 and not tiered:
        quantity = Decimal("1.5")
    coupons = [coupon for coupon in ledger.catalog.coupons if coupon["is_percent"]]
    contract = random.choice(("none", "none", "auto", "manual", "renew_once"))
    return {
        **_BLANK,
        "id": ledger.next_id("subscription", SUBSCRIPTION.first_id),
        "customer": account.id,
        "plan": plan["id"],
        "plan_id": internal_id,
        "amount": converted(random.randrange(300, 3_000), account.currency) if custom else None,
        "quantity": quantity,
        "description": "Acordado por teléfono" if random.random() < 0.1 else None,
        "start_date": start,
        "renews_next": start,
        "contract_renewal_cycles": None if contract == "none" else 12,
        "contract_renewal_mode": contract,
        "addons": _addons(ledger, account, plan),
        "discounts": [random.choice(coupons)] if random.random() < 0.2 else [],
        "taxes": [account.tax_rate] if account.tax_rate else [],
        "url": ledger.link("subscriptions"),
        "metadata": {"channel": "partner"} if random.random() < 0.15 else {},
        "created_at": ledger.clock,
        "updated_at": ledger.clock,
    }


def _addons(ledger: Ledger, account: Account, plan: Record) -> list[Record]:
    """Addons are billed with the plan, so they share its interval."""
    if plan["interval"] != "month" or plan["interval_count"] != 1:
        return []
    return [
        {
            "id": ledger.next_id("addon", 3),
            "object": "subscription_addon",
            "plan": addon["id"],
            "catalog_item": None,
            "quantity": 1 + ledger.random.randrange(6),
            "description": None,
            "amount": None,
            "created_at": ledger.clock,
            "updated_at": ledger.clock,
        }
        for addon in ledger.catalog.addon_plans_of(account.currency)
        if ledger.random.random() < 0.25
    ]
