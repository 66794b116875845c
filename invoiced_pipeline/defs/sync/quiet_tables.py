"""Tables in which a sync found nothing new: one event of the run names them all.

Events of their own would be most of the work of a sync that finds nothing. They get them once they
say something: for a new partition, when what the last ones say has changed, and in time for the
freshness policy, which asks only when a table was last materialized.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast

import dagster as dg

from invoiced_pipeline.defs.names import account_key, table_key
from invoiced_pipeline.defs.sync.metadata import (
    COVERED_SINCE,
    COVERED_WINDOWS,
    GAPS,
    PROBLEM,
    WARNING,
    gaps_text,
    is_idle,
)
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.settings import ConnectionSettings

if TYPE_CHECKING:
    from invoiced_pipeline.defs.checks.audit import Audit

LONGEST_SILENCE = 0.5
"""The share of `warn_after_hours` after which a table is materialized again."""

_TABLES = "nothing_new_in"
"""Metadata of the account's observation: what would be the metadata of each table."""


@dataclass(frozen=True, slots=True)
class QuietTables:
    """The tables in which a run found nothing new.

    Attributes:
        run_id: The run.
        at: When it recorded them (epoch seconds).
        tables: Metadata as of a materialization, by table.
    """

    run_id: str
    at: float
    tables: Mapping[str, Mapping[str, Any]]


def quiet_tables(
    context: dg.AssetExecutionContext, connection: ConnectionSettings, audit: "Audit"
) -> frozenset[str]:
    """Returns the tables of a run that need no events of their own."""
    idle = {
        table_key(connection, each.table): each
        for each in audit.complete
        if is_idle(each)
        and not (each.was_unavailable or each.warning or each.alarm)
        and len(each.coverage.windows) == 1
        and all(finding.passed for finding in audit.findings[each.table])
    }
    if not idle:
        return frozenset()
    newest = context.partition_keys[-1]
    silence = timedelta(hours=connection.warn_after_hours * LONGEST_SILENCE)
    since = datetime.now(UTC) - silence
    records = context.instance.get_asset_records(list(idle))
    events = {
        record.asset_entry.asset_key: record.asset_entry.last_materialization for record in records
    }
    return frozenset(
        report.table
        for key, report in idle.items()
        if _is_recorded(events.get(key), report, newest, since)
    )


def _is_recorded(
    event: dg.EventLogEntry | None, report: TableReport, partition: str, since: datetime
) -> bool:
    """Returns whether a table's last materialization says all that a new one would."""
    known = event.asset_materialization if event else None
    if event is None or known is None:
        return False
    metadata = {name: value.value for name, value in known.metadata.items()}
    began = report.coverage.since
    return (
        event.timestamp >= since.timestamp()
        and known.partition == partition
        and not metadata.keys() & {PROBLEM, WARNING, COVERED_WINDOWS}
        and metadata.get(GAPS, "") == gaps_text(report)
        and began is not None
        and metadata.get(COVERED_SINCE) == began.timestamp()
    )


def observation(
    connection: ConnectionSettings, tables: Mapping[str, Mapping[str, Any]]
) -> dg.AssetObservation:
    """Returns the event that names a run's quiet tables.

    Args:
        connection: Whose account was read.
        tables: Metadata as of a materialization, by table.
    """
    return dg.AssetObservation(
        account_key(connection),
        description=f"Nothing new in {', '.join(tables)}.",
        metadata={_TABLES: dg.MetadataValue.json(dict(tables))},
    )


def quiet_tables_of(events: Sequence[dg.DagsterEvent]) -> Mapping[str, Mapping[str, Any]]:
    """Returns the quiet tables in a run's events, with metadata."""
    for event in events:
        if event.is_asset_observation:
            found = _tables(event.asset_observation_data.asset_observation)
            if found:
                return found
    return {}


def last_quiet_tables(instance: dg.DagsterInstance, connection: ConnectionSettings) -> QuietTables:
    """Returns the quiet tables of the last run that had any; none if there was no such run."""
    for record in instance.fetch_observations(account_key(connection), limit=1).records:
        known = record.asset_observation
        if known is not None:
            return QuietTables(record.run_id, record.timestamp, _tables(known))
    return QuietTables("", 0.0, {})


def _tables(known: dg.AssetObservation) -> Mapping[str, Mapping[str, Any]]:
    value = known.metadata.get(_TABLES)
    return {} if value is None else cast("Mapping[str, Mapping[str, Any]]", value.value)
