"""Unix cron: the rules of crontab, and errors for the syntax of other dialects."""

# ruff: noqa: E501 - a table of examples reads best with one in a line

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline_tests.scheduling.starts import starts, unix


@pytest.mark.parametrize(
    ("expression", "expected", "words"),
    [
        ("0 * * * *", ["01-01 01:00", "01-01 02:00"], "At minute 0 of every hour, every day"),
        ("*/15 * * * *", ["01-01 00:15", "01-01 00:30"], "Every 15 minutes of every hour, every day"),
        ("30 9 * * 1-5", ["01-01 09:30", "01-02 09:30", "01-03 09:30", "01-06 09:30"], "At 09:30, on Monday to Friday"),
        ("30 9 * * mon-fri", ["01-01 09:30", "01-02 09:30"], "At 09:30, on Monday to Friday"),
        ("0 0 * * 0", ["01-05 00:00", "01-12 00:00"], "At 00:00, on Sunday"),
        ("0 0 * * 7", ["01-05 00:00", "01-12 00:00"], "At 00:00, on Sunday"),
        ("0 8-18/5 1,15 JAN *", ["01-01 08:00", "01-01 13:00", "01-01 18:00", "01-15 08:00"], "At 08:00, 13:00 and 18:00, on the 1st and 15th of the month, in January"),
        # Days of month and of week are alternatives.
        ("0 12 13 * 5", ["01-03 12:00", "01-10 12:00", "01-13 12:00"], "At 12:00, on the 13th of the month and also on Friday"),
    ],
)  # fmt: skip
def test_starts_and_words(expression: str, expected: list[str], words: str) -> None:
    assert starts(unix(expression), "2025-01-01", len(expected)) == expected
    assert unix(expression).describe() == f"{words} (UTC)"


_REFUSED = {
    "0 0 3 ? * MON": 'six or seven are Quartz: dialect = "quartz"',
    "0 3 * *": "it has 4 fields",
    "0 3 ? * 1": "Unix cron does not have '\\?'",
    "0 3 L * *": "Unix cron does not have 'L'",
    "0 3 15W * *": "Unix cron does not have 'W'",
    "0 3 * * 5#3": "Unix cron does not have '#'",
    "0 3 * * 5L": "Unix cron does not have 'L'",
    "R 3 * * *": "Unix cron does not have 'R'",
    "H 3 * * *": "Unix cron does not have 'H'",
    "60 3 * * *": "Accepted: minute, hour, day of month",
    "0 3 * * 8": "Accepted: minute, hour, day of month",
    "0 3 * * TUE-THUR": "Unix cron does not have 'THUR'",
    "0 3 * MON *": "Accepted: minute, hour, day of month",
    "0 0 31 2 *": "it never starts",
    "@hourly": "it has 1 field",
    "": "it has 0 fields",
}


@pytest.mark.parametrize("expression", _REFUSED)
def test_refused_with_accepted_forms(expression: str) -> None:
    with pytest.raises(ConfigurationError, match=_REFUSED[expression]) as caught:
        unix(expression)
    assert f"cron: {expression!r} is not unix cron" in str(caught.value)


@given(st.text(alphabet="0123456789*/,-MONFRIJAN ", max_size=20))
def test_no_text_is_more_than_refused(text: str) -> None:
    try:
        schedule = unix(text)
    except ConfigurationError:
        return
    assert len(starts(schedule, "2025-01-01", 2)) == 2
