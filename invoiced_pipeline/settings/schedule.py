"""`[connection.schedule]`: when a connection's sync starts, and the accepted forms."""

import re
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, field_validator, model_validator

from invoiced_pipeline.settings.base import SettingsModel

Dialect = Literal["quartz", "unix"]
WhenBusy = Literal["skip", "wait"]

FREQUENCY_FORMS = "30m, or whole hours from 1h to 24h (also in minutes, such as 360m)"
ANCHOR_FORMS = "a time such as 03:30, or an ISO instant such as 2025-01-31T03:30:00Z"
TIMEZONE_FORMS = "UTC, or an IANA time zone such as Europe/Berlin"
DIALECT_FORMS = (
    'dialect = "quartz" (six or seven fields, as in Stitch and Airbyte) or "unix" (five fields)'
)
HOUR = timedelta(hours=1)


def parse_frequency(value: object) -> timedelta | None:
    """Parses a frequency: 30 minutes (Stitch's shortest), or 1 to 24 whole hours (Hevo's rule).

    Raises:
        ValueError: The text is not such a frequency, for example a number without a unit.
    """
    if value is None or isinstance(value, timedelta):
        return value
    found = re.fullmatch(r"(\d{1,4}) *(m|min|minutes?|h|hours?)", str(value).strip().lower())
    if found:
        number, unit = int(found[1]), found[2]
        minutes = number * 60 if unit.startswith("h") else number
        if minutes == 30 or (minutes % 60 == 0 and 60 <= minutes <= 1440):
            return timedelta(minutes=minutes)
    message = f"{str(value)!r} is not a frequency. Accepted forms: {FREQUENCY_FORMS}"
    raise ValueError(message)


def parse_anchor(value: object) -> time | datetime | None:
    """Parses an anchor: a time of day, or an instant; without an offset it is local time.

    Raises:
        ValueError: The text is neither, has seconds, or is before 1970 or after 2099.
    """
    if value is None or not str(value).strip():
        return None
    text = str(value).strip()
    try:
        if re.fullmatch(r"\d{1,2}:\d{2}(:\d{2})?", text):
            anchor: time | datetime = time.fromisoformat(text.zfill(text.count(":") * 3 + 2))
        elif re.match(r"\d{4}-\d{2}-\d{2}[T ]\d", text):
            anchor = datetime.fromisoformat(text)
            anchor = anchor.astimezone(UTC) if anchor.tzinfo else anchor
            if not 1970 <= anchor.year < 2100:
                raise ValueError(text)
        else:
            raise ValueError(text)
    except (ValueError, OverflowError):
        message = f"{text!r} is not an anchor. Accepted forms: {ANCHOR_FORMS}"
        raise ValueError(message) from None
    if anchor.second or anchor.microsecond:
        message = f"{text!r} has seconds, but syncs start on whole minutes. "
        raise ValueError(message + f"Accepted forms: {ANCHOR_FORMS}")
    return anchor


class ScheduleSettings(SettingsModel):
    """`[connection.schedule]`: a frequency with an anchor, or cron; every hour by default."""

    frequency: Annotated[timedelta | None, BeforeValidator(parse_frequency)] = Field(
        default=None,
        description=f"How often a sync starts: {FREQUENCY_FORMS}. Every hour by default.",
        examples=["6h"],
    )
    anchor: Annotated[time | datetime | None, BeforeValidator(parse_anchor)] = Field(
        default=None,
        description=f"A time at which a sync starts; the others follow from the frequency: "
        f"{ANCHOR_FORMS}.",
        examples=["03:30"],
    )
    cron: str | None = Field(
        default=None,
        description="A cron expression; it overrides frequency and anchor.",
        examples=["0 0 3 ? * TUE-THUR"],
    )
    dialect: Dialect | None = Field(
        default=None,
        description=f"The dialect of the cron expression: {DIALECT_FORMS}.",
        examples=["quartz"],
    )
    timezone: str = Field(
        default="UTC",
        description=f"Time zone of the anchor and of the cron expression: {TIMEZONE_FORMS}.",
        examples=["Europe/Berlin"],
    )
    when_busy: WhenBusy = Field(
        default="skip",
        description="What happens to a scheduled start while a sync is running: `skip` skips it, "
        "`wait` starts when that sync has ended.",
        examples=["wait"],
    )

    @field_validator("timezone")
    @classmethod
    def _zone_exists(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, KeyError):
            message = f"{name!r} is not a time zone. Accepted forms: {TIMEZONE_FORMS}"
            raise ValueError(message) from None
        return name

    @model_validator(mode="after")
    def _settings_agree(self) -> Self:
        if self.cron is not None and self.dialect is None:
            message = f"cron = {self.cron!r} needs a dialect: {DIALECT_FORMS}"
            raise ValueError(message)
        if self.anchor and self.frequency and self.frequency < HOUR:
            message = (
                f"anchor = '{self.anchor}' cannot be combined with frequency = '30m': an anchor "
                "needs a frequency of 1h to 24h. Change the frequency, or remove the anchor"
            )
            raise ValueError(message)
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The time zone of the anchor and of the cron expression."""
        return ZoneInfo(self.timezone)

    @property
    def wall_anchor(self) -> datetime:
        """The anchor in local time, without offset; midnight by default.

        A bare time means 1970-01-01 at that time: a grid of 7 hours continues across midnight, so
        it needs a first day.
        """
        if isinstance(self.anchor, datetime):
            aware = self.anchor.astimezone(self.zone) if self.anchor.tzinfo else self.anchor
            return aware.replace(tzinfo=None, second=0)  # historical UTC offsets have seconds
        midnight = datetime(1970, 1, 1, tzinfo=UTC).replace(tzinfo=None)
        return datetime.combine(midnight, self.anchor or time())
