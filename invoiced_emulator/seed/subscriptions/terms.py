"""Start, renewals and end of subscriptions."""

from invoiced_emulator.seed.simulation.account import Account, Record
from invoiced_emulator.seed.simulation.business_time import DAY, HOUR, add_months, month_start
from invoiced_emulator.seed.simulation.history import Step
from invoiced_emulator.seed.simulation.simulation import Simulation

OUTCOMES = (
    "active", "canceled", "active", "past_due", "active", "paused", "active", "not_started",
    "active", "finished", "active", "pending_renewal", "active", "active", "canceled", "active",
)  # fmt: skip
"""The outcomes of subscriptions in turn, so that every status occurs."""

_MONTHS = {"month": 1, "year": 12}


def period_months(plan: Record) -> int:
    """Returns the months of a billing period."""
    return _MONTHS[plan["interval"]] * plan["interval_count"]


def start_of(simulation: Simulation, account: Account) -> int:
    """Returns the start: mostly of a month, in the first minutes of its billing run."""
    if simulation.random.random() < 0.65:
        return month_start(simulation.clock + 1) + 6 * HOUR + account.id % 900
    return simulation.clock + simulation.random.randrange(HOUR, 20 * DAY)


def end_of(simulation: Simulation, outcome: str, start: int, months: int) -> int:
    """Returns when billing ends; far in the future for active subscriptions."""
    lived = max(simulation.now - start, 2 * DAY)
    if outcome == "finished":
        periods = max(1, periods_begun(start, months, start + int(lived * 0.7)))
        return add_months(start, periods * months)
    if outcome in ("canceled", "paused"):
        share = 0.4 + 0.5 * simulation.random.random() if outcome == "canceled" else 0.9
        return start + int(lived * share)
    return 1 << 40


def periods_begun(start: int, months: int, until: int) -> int:
    """Returns how many periods began before a moment."""
    count = 0
    while add_months(start, count * months) < until:
        count += 1
    return count


def life(simulation: Simulation, state: Record, outcome: str, months: int, end: int) -> list[Step]:
    """Returns the steps of a subscription: its first and latest period, and its end."""
    start = state["start_date"]
    if outcome == "not_started":
        return []
    steps: list[Step] = []
    count = periods_begun(start, months, min(end, simulation.now + 1))
    for period in {1, count}:
        from_, until = (add_months(start, (period - step) * months) for step in (1, 0))
        fields: Record = {
            "status": "active",
            "period_start": from_,
            "period_end": until,
            "renewed_last": from_,
            "renews_next": until,
            "num_invoices": period,
        }
        if state["contract_renewal_mode"] != "none":
            fields |= {"contract_period_start": from_, "contract_period_end": until}
        steps.append((from_, "updated", fields))
    steps.sort(key=lambda step: step[0])
    steps += _last_step(outcome, end, steps[-1][0])
    return steps


def _last_step(outcome: str, end: int, renewed: int) -> list[Step]:
    over: Record = {"period_start": None, "period_end": None, "renews_next": None}
    if outcome == "canceled":
        fields = {**over, "status": outcome, "canceled": True, "canceled_at": end}
        return [(end, "deleted", {**fields, "canceled_reason": "requested_by_customer"})]
    if outcome == "finished":
        return [(end, "updated", {**over, "status": outcome, "finished": True})]
    if outcome == "paused":
        return [(end, "updated", {"status": outcome, "paused": True, "renews_next": None})]
    if outcome == "past_due":
        return [(renewed + DAY, "updated", {"status": outcome})]
    if outcome == "pending_renewal":
        return [(renewed + DAY, "updated", {"status": outcome, "pending_renewal": True})]
    return []
