"""When a subscription starts, renews and ends."""

from invoiced_emulator.seed.ledger.account import Account, Record
from invoiced_emulator.seed.ledger.business_time import DAY, HOUR, add_months, month_start
from invoiced_emulator.seed.ledger.history import Step
from invoiced_emulator.seed.ledger.ledger import Ledger

FATES = (
    "active", "canceled", "active", "past_due", "active", "paused", "active", "not_started",
    "active", "finished", "active", "pending_renewal", "active", "active", "canceled", "active",
)  # fmt: skip
"""What becomes of each subscription in turn, so that every status occurs."""

_MONTHS = {"month": 1, "year": 12}


def period_months(plan: Record) -> int:
    """Length of one billing period."""
    return _MONTHS[plan["interval"]] * plan["interval_count"]


def start_of(ledger: Ledger, account: Account) -> int:
    """Most start with a month, in the first minutes of its billing run."""
    if ledger.random.random() < 0.65:
        return month_start(ledger.clock + 1) + 6 * HOUR + account.id % 900
    return ledger.clock + ledger.random.randrange(HOUR, 20 * DAY)


def end_of(ledger: Ledger, fate: str, start: int, months: int) -> int:
    """When billing stops; far away for those that go on."""
    lived = max(ledger.now - start, 2 * DAY)
    if fate == "finished":
        periods = max(1, periods_begun(start, months, start + int(lived * 0.7)))
        return add_months(start, periods * months)
    if fate in ("canceled", "paused"):
        share = 0.4 + 0.5 * ledger.random.random() if fate == "canceled" else 0.9
        return start + int(lived * share)
    return 1 << 40


def periods_begun(start: int, months: int, until: int) -> int:
    """How many periods have begun before a moment."""
    count = 0
    while add_months(start, count * months) < until:
        count += 1
    return count


def life(ledger: Ledger, state: Record, fate: str, months: int, end: int) -> list[Step]:
    """The steps of a subscription: its first period, its latest one, and how it ends."""
    start = state["start_date"]
    if fate == "not_started":
        return []
    steps: list[Step] = []
    count = periods_begun(start, months, min(end, ledger.now + 1))
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
    steps += _last_step(fate, end, steps[-1][0])
    return steps


def _last_step(fate: str, end: int, renewed: int) -> list[Step]:
    over: Record = {"period_start": None, "period_end": None, "renews_next": None}
    if fate == "canceled":
        fields = {**over, "status": fate, "canceled": True, "canceled_at": end}
        return [(end, "deleted", {**fields, "canceled_reason": "requested_by_customer"})]
    if fate == "finished":
        return [(end, "updated", {**over, "status": fate, "finished": True})]
    if fate == "paused":
        return [(end, "updated", {"status": fate, "paused": True, "renews_next": None})]
    if fate == "past_due":
        return [(renewed + DAY, "updated", {"status": fate})]
    if fate == "pending_renewal":
        return [(renewed + DAY, "updated", {"status": fate, "pending_renewal": True})]
    return []
