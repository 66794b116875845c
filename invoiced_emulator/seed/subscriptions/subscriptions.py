"""Subscriptions: plan, addons, coupons and taxes, billed every period."""

from decimal import Decimal

from invoiced_emulator.seed.documents.invoices import issue_invoice
from invoiced_emulator.seed.documents.line_items import add_up, line_item
from invoiced_emulator.seed.simulation.account import Account, Record
from invoiced_emulator.seed.simulation.business_time import DAY, add_months
from invoiced_emulator.seed.simulation.history import advance
from invoiced_emulator.seed.simulation.kinds import SUBSCRIPTION
from invoiced_emulator.seed.simulation.money import Number, converted, rounded
from invoiced_emulator.seed.simulation.simulation import Simulation
from invoiced_emulator.seed.subscriptions.terms import (
    OUTCOMES,
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


def subscribe(simulation: Simulation, account: Account, *, monthly: bool) -> None:
    """Plans a subscription, now or, for one that has not started, a few days before today."""
    count = int(simulation.next_number("SUB").removeprefix("SUB-"))
    outcome = OUTCOMES[count % len(OUTCOMES)]
    signed = simulation.clock if outcome != "not_started" else simulation.now - 5 * DAY
    simulation.at(max(signed, simulation.clock), _subscribe, simulation, account, monthly, outcome)


def _subscribe(simulation: Simulation, account: Account, monthly: bool, outcome: str) -> None:  # noqa: FBT001
    """Starts a subscription now, plans its invoices and emits it as of today."""
    internal_id, plan = _choose_plan(simulation, account, monthly=monthly)
    months = period_months(plan)
    start = simulation.now + 20 * DAY if outcome == "not_started" else start_of(simulation, account)
    if start > simulation.now and outcome != "not_started":
        return
    end = end_of(simulation, outcome, start, months)
    state = _subscription(simulation, account, internal_id, plan, start)
    state["cycles"] = None if outcome != "finished" else periods_begun(start, months, end)
    state |= _billing(simulation, account, state)
    simulation.catalog.subscribe(internal_id)
    simulation.emit_event(SUBSCRIPTION, "created", state, account)
    steps = life(simulation, state, outcome, months, end)
    final = advance(simulation, SUBSCRIPTION, state, steps, account=account)
    simulation.emit("subscriptions", final)
    simulation.at(start, _bill, simulation, account, final, end)


def _bill(
    simulation: Simulation, account: Account, subscription: Record, end: int, period: int = 0
) -> None:
    """Invoices a period and plans the next."""
    plan = simulation.catalog.version(subscription["plan_id"])
    months = period_months(plan)
    start = subscription["start_date"]
    from_, until = add_months(start, period * months), add_months(start, (period + 1) * months)
    lines = _lines(simulation, account, subscription)
    for line in lines:
        line |= {
            "subscription": subscription["id"],
            "period_start": from_,
            "period_end": until,
            "prorated": False,
        }
    issue_invoice(simulation, account, lines, subscription=subscription)
    if until < end:
        simulation.at(until, _bill, simulation, account, subscription, end, period + 1)


def _lines(simulation: Simulation, account: Account, subscription: Record) -> list[Record]:
    plan = simulation.catalog.version(subscription["plan_id"])
    parts = _priced(plan, subscription["quantity"], subscription["amount"])
    lines = [_plan_line(simulation, account, plan, *part) for part in parts]
    addons = {plan["id"]: plan for plan in simulation.catalog.addon_plans_of(account.currency)}
    for addon in subscription["addons"]:
        plan = addons[addon["plan"]]
        lines.append(_plan_line(simulation, account, plan, addon["quantity"], plan["amount"]))
    return lines


def _plan_line(
    simulation: Simulation, account: Account, plan: Record, quantity: Number, unit_cost: Number
) -> Record:
    line = line_item(simulation, plan["name"], quantity, unit_cost, account.currency)
    return {**line, "type": "plan", "plan": plan["id"]}


def _priced(plan: Record, quantity: Number, amount: Number | None) -> list[tuple[Number, Number]]:
    """Returns quantity and unit cost per line: one line, or one per tier."""
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


def _billing(simulation: Simulation, account: Account, state: Record) -> Record:
    """Returns the amounts per period and per month."""
    plan = simulation.catalog.version(state["plan_id"])
    coupon = state["discounts"][0] if state["discounts"] else None
    lines = _lines(simulation, account, state)
    total = add_up(lines, account.currency, coupon=coupon, tax_rate=account.tax_rate).total
    months = period_months(plan)
    return {
        "recurring_total": total,
        "mrr": rounded(Decimal(total) / months, account.currency),
    }


def _choose_plan(simulation: Simulation, account: Account, *, monthly: bool) -> tuple[int, Record]:
    plans = simulation.catalog.plans_of(account.currency)
    wanted = [
        (internal_id, plan)
        for internal_id, plan in plans
        if (plan["interval"] == "month" and plan["interval_count"] == 1) is monthly
        and plan["created_at"] <= simulation.clock
    ]
    return simulation.random.choice(wanted or plans)


def _subscription(
    simulation: Simulation, account: Account, internal_id: int, plan: Record, start: int
) -> Record:
    random = simulation.random
    tiered = bool(plan["tiers"])
    custom = plan["pricing_mode"] == "custom"
    quantity: Number = random.choice((5, 12, 30, 75)) if tiered else random.choice((1, 1, 1, 2, 4))
    if random.random() < 0.05 and not tiered:
        quantity = Decimal("1.5")
    coupons = [coupon for coupon in simulation.catalog.coupons if coupon["is_percent"]]
    contract = random.choice(("none", "none", "auto", "manual", "renew_once"))
    return {
        **_BLANK,
        "id": simulation.next_id("subscription", SUBSCRIPTION.first_id),
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
        "addons": _addons(simulation, account, plan),
        "discounts": [random.choice(coupons)] if random.random() < 0.2 else [],
        "taxes": [account.tax_rate] if account.tax_rate else [],
        "url": simulation.link("subscriptions"),
        "metadata": {"channel": "partner"} if random.random() < 0.15 else {},
        "created_at": simulation.clock,
        "updated_at": simulation.clock,
    }


def _addons(simulation: Simulation, account: Account, plan: Record) -> list[Record]:
    """Returns addons, which are billed with the plan and so share its interval."""
    if plan["interval"] != "month" or plan["interval_count"] != 1:
        return []
    return [
        {
            "id": simulation.next_id("addon", 3),
            "object": "subscription_addon",
            "plan": addon["id"],
            "catalog_item": None,
            "quantity": 1 + simulation.random.randrange(6),
            "description": None,
            "amount": None,
            "created_at": simulation.clock,
            "updated_at": simulation.clock,
        }
        for addon in simulation.catalog.addon_plans_of(account.currency)
        if simulation.random.random() < 0.25
    ]
