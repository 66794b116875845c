"""`[alerts]`: where alerts are sent, and the UI that they link to."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from invoiced_pipeline.settings.base import SettingsModel

ALERT_URLS = "INVOICED_ALERT_URLS"
"""The default variable that holds the addresses."""

_BOUNDARY = re.compile(r"\s+|,+(?=\s|$|[a-z][a-z0-9]*://)", re.IGNORECASE)
"""Between two addresses; a comma within one, as in `?to=a@b.example,c@d.example`, is part of it."""


def _web_address(text: str) -> str:
    if not re.fullmatch(r"https?://[^\s/@]+(/[^\s?#@]*)?", text):
        msg = "accepted form is https://dagster.example.com, without user, password and query"
        raise ValueError(msg)
    return text.rstrip("/")


class AlertSettings(SettingsModel):
    """`[alerts]`: where alerts are sent. See [alerts.md](alerts.md)."""

    urls_env: str = Field(
        default=ALERT_URLS,
        pattern="^[A-Z][A-Z0-9_]*$",
        description="The environment variable that holds the addresses, as "
        "[Apprise](https://github.com/caronc/apprise) takes them, separated by commas, blanks or "
        "lines. Without addresses there are no alerts.",
        examples=["ACME_ALERT_URLS"],
    )
    ui_url: Annotated[str | None, AfterValidator(_web_address)] = Field(
        default=None,
        description="Address of Dagster's UI: alerts then link to the run. Without it they name "
        "the run's id.",
        examples=["https://dagster.example.com"],
    )


def split_addresses(text: str) -> list[str]:
    """Returns the addresses in a variable's value."""
    return [each for each in _BOUNDARY.split(text) if each]
