"""Log records as JSON, one object per line, without secrets."""

import json
import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

HIDDEN = "(hidden)"

SOURCE = "source"
"""Attribute of a record: the logger that it came from, where Dagster replaced that."""


class JsonFormatter(logging.Formatter):
    """Formats a record as `time`, `level`, `logger`, `message`, and what is known of its run.

    Args:
        secrets: Texts that are replaced anywhere in a line; the longest first.
        connections: Names of connections, by the ops and jobs of their runs.
    """

    def __init__(self, secrets: Sequence[str], connections: Mapping[str, str]) -> None:
        super().__init__()
        self._secrets = secrets
        self._connections = connections

    def format(self, record: logging.LogRecord) -> str:
        """Returns one line; fields that are not known are left out."""
        run: Mapping[str, Any] = getattr(record, "dagster_meta", None) or {}
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": getattr(record, SOURCE, record.name),
            "message": run.get("orig_message") or record.getMessage(),
            "run_id": run.get("run_id"),
            "job": run.get("job_name"),
            "connection": self._connections.get(run.get("step_key") or run.get("job_name") or ""),
            "table": _table(record, run.get("dagster_event")),
            "error": self._error(record, run.get("dagster_event")),
        }
        known = {name: self._hide(value) for name, value in fields.items() if value}
        return json.dumps(known, ensure_ascii=False)

    def _error(self, record: logging.LogRecord, event: Any) -> str | None:
        if record.exc_info:
            return self.formatException(record.exc_info)
        failure = getattr(getattr(event, "event_specific_data", None), "error", None)
        return failure.to_string() if failure else None

    def _hide(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, HIDDEN)
        return text


def _table(record: logging.LogRecord, event: Any) -> str | None:
    report = getattr(record, "report", None)
    if report is not None:
        return str(report.table)
    key = getattr(event, "asset_key", None)
    return key.path[-1] if key else None
