"""Schedules from their settings, and their starts as short texts."""

from datetime import UTC, datetime
from itertools import islice, takewhile
from typing import Any

from invoiced_pipeline.scheduling.schedule import Schedule
from invoiced_pipeline.settings import ScheduleSettings


def schedule(**settings: Any) -> Schedule:
    return Schedule.from_settings(ScheduleSettings(**settings))


def quartz(expression: str, timezone: str = "UTC") -> Schedule:
    return schedule(cron=expression, dialect="quartz", timezone=timezone)


def unix(expression: str, timezone: str = "UTC") -> Schedule:
    return schedule(cron=expression, dialect="unix", timezone=timezone)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def starts(schedule: Schedule, after: str, count: int = 5) -> list[str]:
    """The next starts after an instant, UTC: `05-01 09:00`."""
    return [f"{start:%m-%d %H:%M}" for start in islice(schedule.starts_after(utc(after)), count)]


def between(schedule: Schedule, after: datetime, until: datetime) -> list[datetime]:
    """All starts later than `after`, up to and including `until`."""
    return list(takewhile(lambda start: start <= until, schedule.starts_after(after)))
