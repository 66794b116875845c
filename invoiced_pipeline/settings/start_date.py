"""The start date and its accepted forms."""

import re
from datetime import UTC, datetime

DATE_FORMS = "MM/DD/YYYY such as 01/31/2025, or ISO such as 2025-01-31"


def parse_start_date(text: str, *, now: datetime | None = None) -> datetime:
    """Parses a start date; a bare date means midnight UTC.

    Args:
        text: MM/DD/YYYY as in Qlik, an ISO date, or an ISO instant as in Singer taps.
        now: The current time; only tests set it.

    Raises:
        ValueError: The text is not a date, or is before 1970 or in the future.
    """
    text = text.strip()
    now = now or datetime.now(UTC)
    american = re.fullmatch(r"(\d{1,2})/(\d{1,2})/(\d{4})", text)
    try:
        if american:
            month, day, year = map(int, american.groups())
            parsed = datetime(year, month, day, tzinfo=UTC)
        elif re.match(r"\d{4}-\d{2}-\d{2}($|[T ])", text):
            parsed = datetime.fromisoformat(text)
            parsed = parsed.astimezone(UTC) if parsed.tzinfo else parsed.replace(tzinfo=UTC)
        else:
            raise ValueError(text)
    except (ValueError, OverflowError):
        msg = f"{text!r} is not a date. Accepted forms: {DATE_FORMS}"
        raise ValueError(msg) from None
    if parsed > now:
        msg = f"{text!r} is in the future (today is {now:%Y-%m-%d} UTC). "
        raise ValueError(msg + f"Accepted forms: {DATE_FORMS}")
    if parsed.year < 1970:
        msg = f"{text!r} is before 1970, when Invoiced had no records. "
        msg += f"Accepted forms: {DATE_FORMS}"
        raise ValueError(msg)
    return parsed
