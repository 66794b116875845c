"""Refuses terms of a subscription that Invoiced refuses; these errors have no param."""

from typing import Any

from invoiced_emulator.calls.call import Call
from invoiced_emulator.protocol.clock import DAY
from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.records.unit_of_work import Record
from invoiced_emulator.writes.records import existing_customer

_MONTH = 31 * DAY
_FIVE_YEARS = 5 * 365 * DAY
_DAYS = {"day": 1, "week": 7, "month": 30, "year": 365}
_MOST_ADDONS = 100


def subscriber(call: Call, sent: Any) -> Record:
    """Returns the customer of a new subscription.

    Raises:
        ApiError: 400 `Customer missing`, `Invalid customer` or `No such customer: 9`.
    """
    if isinstance(sent, dict | list | bool):
        raise refused("Invalid customer")
    return existing_customer(call, sent, param=None)


def check_start(start: int, now: int, *, autopay: bool) -> None:
    """Refuses a start (epoch seconds) too far in the past."""
    if autopay and start < now - _MONTH:
        raise refused("AutoPay subscriptions cannot start more than 1 month in the past!")
    if start < now - _FIVE_YEARS:
        raise refused("Subscriptions cannot start more than 5 years in the past!")


def check_billing(subscription: Record, plan: Record) -> None:
    """Refuses calendar billing and billing in advance that do not fit the plan's interval."""
    if subscription.get("snap_to_nth_day") and plan["interval_count"] > 1:
        raise refused(
            "Calendar billing cannot be used when the plan interval count is greater than 1."
        )
    days = _DAYS[plan["interval"]] * plan["interval_count"]
    if (subscription.get("bill_in_advance_days") or 0) > days:
        raise refused(
            "The invoice can be issued in advance at most the number of days in the billing "
            f"period ({days})."
        )
    if len(subscription["addons"]) > _MOST_ADDONS:
        raise refused(f"A subscription can have at most {_MOST_ADDONS} addons.")
