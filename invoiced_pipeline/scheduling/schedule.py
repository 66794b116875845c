"""The schedule of a connection: from its settings to the instants at which syncs start."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.scheduling.grid import Grid
from invoiced_pipeline.scheduling.quartz import Quartz
from invoiced_pipeline.scheduling.unix import Unix
from invoiced_pipeline.scheduling.wall_clock import Rule, clock_changes, instants
from invoiced_pipeline.settings import ConnectionSettings, ScheduleSettings, Settings

_DEFAULT_FREQUENCY = timedelta(hours=1)
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When syncs start.

    Attributes:
        rule: The starts on the wall clock.
        zone: The time zone of the wall clock.
    """

    rule: Rule
    zone: ZoneInfo

    @classmethod
    def from_settings(cls, settings: ScheduleSettings) -> "Schedule":
        """Returns the schedule of `[connection.schedule]`: cron, or else anchor and frequency.

        Raises:
            ConfigurationError: The cron expression is wrong.
        """
        if settings.cron is not None:
            dialect = Quartz if settings.dialect == "quartz" else Unix
            try:
                return cls(dialect.parse(settings.cron), settings.zone)
            except ConfigurationError as error:
                message = f"cron: {settings.cron!r} is not {settings.dialect} cron: {error}"
                raise ConfigurationError(message) from error
        frequency = settings.frequency or _DEFAULT_FREQUENCY
        return cls(Grid(frequency, settings.wall_anchor), settings.zone)

    def starts_after(self, instant: datetime) -> Iterator[datetime]:
        """Yields the starts later than `instant` (aware), ascending, in UTC."""
        return instants(self.rule, self.zone, instant)

    def is_start(self, instant: datetime) -> bool:
        """Whether a sync starts at `instant` (aware)."""
        return next(self.starts_after(instant - _SECOND), None) == instant

    def describe(self) -> str:
        """Describes the schedule in English."""
        return f"{self.rule.describe()} ({self.zone.key})"

    def as_unix_crons(self, timezone: str | None = None) -> list[str] | None:
        """Returns five-field crons that have exactly these starts when Dagster evaluates them.

        Args:
            timezone: The zone in which Dagster evaluates them; by default the schedule's own.

        Returns:
            The crons. None if there are none: the grid does not divide a day, the cron names years
            or a nearest weekday, the time zone is another one, or its clocks change at an hour that
            Dagster does not handle, such as midnight in Havana. Then use `ticks` and `is_start`.
        """
        cron = self.rule.unix_cron()
        if cron is None or timezone not in {None, self.zone.key}:
            return None
        if not all(change.is_seen_by_dagster for change in clock_changes(self.zone)):
            return None
        return [cron]

    def ticks(self) -> list[str]:
        """Returns five-field crons in UTC that include every start, and few other instants."""
        changes = clock_changes(self.zone)
        offsets = {change.before for change in changes} | {change.after for change in changes}
        if not offsets:
            now = datetime(2020, 1, 1, tzinfo=UTC).astimezone(self.zone)
            offsets = {now.utcoffset() or timedelta(0)}
        day = datetime(2020, 1, 2, tzinfo=UTC)
        times = {
            day.replace(hour=hour, minute=minute) - offset
            for hour, minute in self.rule.times_of_day
            for offset in offsets
        }
        times |= {change.instant for change in changes if change.skips(self.rule.times_of_day)}
        hours: dict[int, set[int]] = defaultdict(set)
        for time in times:
            hours[time.minute].add(time.hour)
        minutes: dict[str, list[int]] = defaultdict(list)
        for minute, found in hours.items():
            minutes["*" if len(found) == 24 else ",".join(map(str, sorted(found)))].append(minute)
        return sorted(
            f"{','.join(map(str, sorted(each)))} {found} * * *" for found, each in minutes.items()
        )


def connection_schedule(settings: Settings, connection: ConnectionSettings) -> Schedule:
    """Returns the schedule of a connection.

    Raises:
        ConfigurationError: Its cron expression is wrong; the text names the file and the key.
    """
    try:
        return Schedule.from_settings(connection.schedule)
    except ConfigurationError as error:
        message = f"{settings.source}: connection {connection.name!r}: schedule.{error}"
        raise ConfigurationError(message) from error
