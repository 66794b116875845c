"""The state of connections as Prometheus metrics.

Instants are metrics, and alerts compute ages from them: a file that is no longer written must not
look young. The exception is the age of coverage, for dashboards.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, generate_latest, write_to_textfile

from invoiced_pipeline.defs.status import ConnectionStatus, TableStatus, WritebackStatus
from invoiced_pipeline.exceptions import ConfigurationError

_PREFIX = "invoiced_pipeline_"

Value = float | None
"""A sample; None where there is none."""


def _seconds(instant: datetime | None) -> Value:
    return instant.timestamp() if instant else None


def _duration(table: TableStatus) -> Value:
    if table.started_at is None or table.ended_at is None:
        return None
    return (table.ended_at - table.started_at).total_seconds()


_OF_CONNECTION: Mapping[str, tuple[str, Callable[[ConnectionStatus], Value]]] = {
    "schedule_on": (
        "Whether the schedule of the sync is turned on.",
        lambda status: status.schedule_on,
    ),
    "stale_after_seconds": (
        "Age of coverage after which a table is stale: the setting fail_after_hours.",
        lambda status: status.stale_after_hours * 3600,
    ),
}
_OF_TABLE: Mapping[str, tuple[str, Callable[[TableStatus], Value]]] = {
    "table_failed": (
        "Whether the table's last run failed, or loaded it with a problem.",
        lambda table: table.state == "failed",
    ),
    "table_unavailable": (
        "Whether the account does not have the table.",
        lambda table: table.state == "unavailable",
    ),
    "last_success_timestamp_seconds": (
        "When the table was last loaded.",
        lambda table: _seconds(table.loaded_at),
    ),
    "coverage_end_timestamp_seconds": (
        "The warehouse holds every change up to this instant.",
        lambda table: _seconds(table.covered_until),
    ),
    "rows": ("Rows of the table, deleted ones included.", lambda table: table.rows),
    "loaded_rows": ("Rows that the last load brought.", lambda table: table.loaded_rows),
    "rejected_rows": (
        "Records that fit no column, as the last load counted them.",
        lambda table: table.rejected_rows,
    ),
    "last_run_duration_seconds": (
        "How long the last run over the table took; absent while it runs.",
        _duration,
    ),
}
_OF_WRITEBACK: Mapping[str, tuple[str, Callable[[WritebackStatus], Value]]] = {
    "writeback_failed": (
        "Whether the write-back's last run over all rows failed.",
        lambda writeback: writeback.state == "failed",
    ),
    "writeback_last_run_timestamp_seconds": (
        "When the write-back's last run over all rows ended.",
        lambda writeback: _seconds(writeback.ended_at),
    ),
}
WAITING_STATES = ("planned", "held", "invalid", "rejected", "unknown", "sent")
"""States of rows that a write-back's last run left waiting."""


def exposition(statuses: Iterable[ConnectionStatus], now: datetime) -> CollectorRegistry:
    """Returns a registry with the metrics of some connections.

    Args:
        statuses: Their states.
        now: When these were read (aware).
    """
    registry = CollectorRegistry()
    read = Gauge(f"{_PREFIX}status_timestamp_seconds", "When this was read.", registry=registry)
    read.set(now.timestamp())
    families = _families(registry)
    for status in statuses:
        _add_connection(families, status, now)
    return registry


def as_text(registry: CollectorRegistry) -> str:
    """Returns the metrics in Prometheus's text format."""
    return generate_latest(registry).decode()


def write_exposition(registry: CollectorRegistry, path: Path) -> None:
    """Replaces a file in one step: a collector never reads half of it.

    Raises:
        ConfigurationError: The file cannot be written.
    """
    try:
        write_to_textfile(str(path), registry)
    except OSError as error:
        message = (
            f"--output {path}: {error.strerror}. Name a file in an existing folder that this user "
            "may write to"
        )
        raise ConfigurationError(message) from error


def _families(registry: CollectorRegistry) -> dict[str, Gauge]:
    found: dict[str, Gauge] = {}

    def declare(name: str, text: str, *labels: str) -> None:
        found[name] = Gauge(_PREFIX + name, text, ("connection", *labels), registry=registry)

    for name, (text, _) in _OF_CONNECTION.items():
        declare(name, text)
    declare("failed_runs", "Runs that failed in the last 24 hours.", "job")
    for name, (text, _) in _OF_TABLE.items():
        declare(name, text, "table")
    age = "Age of the table's coverage when this was read; alerts compute it from its end."
    declare("coverage_age_seconds", age, "table")
    for name, (text, _) in _OF_WRITEBACK.items():
        declare(name, text, "writeback")
    waiting = "Rows that the write-back's last run left unsent or unsettled."
    declare("writeback_waiting_rows", waiting, "writeback", "state")
    return found


def _add_connection(families: Mapping[str, Gauge], status: ConnectionStatus, now: datetime) -> None:
    def put(name: str, value: Value, *labels: str) -> None:
        if value is not None:
            families[name].labels(status.connection, *labels).set(value)

    for name, (_, value_of) in _OF_CONNECTION.items():
        put(name, value_of(status))
    for job, count in status.failed_runs.items():
        put("failed_runs", count, job)
    for table in status.tables:
        for name, (_, value_of) in _OF_TABLE.items():
            put(name, value_of(table), table.table)
        until = table.covered_until
        put("coverage_age_seconds", until and (now - until).total_seconds(), table.table)
    for writeback in status.writebacks:
        for name, (_, value_of) in _OF_WRITEBACK.items():
            put(name, value_of(writeback), writeback.writeback)
        for state in WAITING_STATES:
            rows = writeback.waiting.get(state, 0)
            put("writeback_waiting_rows", rows, writeback.writeback, state)
