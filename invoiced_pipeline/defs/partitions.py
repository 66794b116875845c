"""The partitions of a table: months, weeks or days of `updated_at`."""

from datetime import datetime, timedelta

import dagster as dg

from invoiced_pipeline.settings import Cadence


def floor_to_period(instant: datetime, cadence: Cadence) -> datetime:
    """Returns the start (UTC) of the partition that holds `instant`; weeks begin on Sunday."""
    day = instant.replace(hour=0, minute=0, second=0, microsecond=0)
    if cadence == "monthly":
        return day.replace(day=1)
    if cadence == "weekly":
        return day - timedelta(days=(day.weekday() + 1) % 7)
    return day


def partitions_for(cadence: Cadence, start_date: datetime) -> dg.TimeWindowPartitionsDefinition:
    """Returns all periods from that of `start_date` up to and including the current one."""
    definition = {
        "monthly": dg.MonthlyPartitionsDefinition,
        "weekly": dg.WeeklyPartitionsDefinition,
        "daily": dg.DailyPartitionsDefinition,
    }[cadence]
    # Without the offset, the current period would have no partition.
    return definition(start_date=floor_to_period(start_date, cadence), end_offset=1)
