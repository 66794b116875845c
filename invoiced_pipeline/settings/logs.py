"""`[logs]`: how log lines are written."""

from typing import Literal

from pydantic import Field

from invoiced_pipeline.settings.base import SettingsModel

LogFormat = Literal["text", "json"]


class LogsSettings(SettingsModel):
    """`[logs]`: how the log lines of runs are written to stderr."""

    format: LogFormat = Field(
        default="text",
        description="`json` writes one JSON object per line, without secrets: for a collector of "
        "logs. Commands then show no progress.",
        examples=["json"],
    )
