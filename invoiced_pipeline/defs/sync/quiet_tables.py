"""Tables in which a sync found nothing new: one event of the run names them all.

Events of their own would be most of the work of a sync that finds nothing. They get them once they
say something: for a new partition, when what the last ones say has changed, and in time for the
freshness policy, which asks only when a table was last materialized.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import dagster as dg
import msgspec

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
"""Metadata of the account's observation: the quiet tables."""


class QuietTable(msgspec.Struct, frozen=True):
    """The last sync of a table in which it found nothing new.

    Attributes:
        run_id: The run.
        at: When it ended (epoch seconds).
        metadata: What would be the metadata of its materialization.
    """

    run_id: str
    at: float
    metadata: Mapping[str, Any]

    def follows(self, event: dg.EventLogEntry | None) -> bool:
        """Returns whether it says more than a materialization of the table."""
        return event is not None and event.timestamp < self.at


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
        and audit.is_settled(each.table)
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
    context: dg.AssetExecutionContext,
    connection: ConnectionSettings,
    tables: Mapping[str, Mapping[str, Any]],
) -> dg.AssetObservation:
    """Returns the event that names a run's quiet tables.

    It repeats what earlier runs said of other tables, so that readers need the last one only.

    Args:
        context: The run's.
        connection: Whose account was read.
        tables: Metadata as of a materialization, by table.
    """
    run_id, at = context.run.run_id, datetime.now(UTC).timestamp()
    now = {name: QuietTable(run_id, at, metadata) for name, metadata in tables.items()}
    known = {**last_quiet_tables(context.instance, connection), **now}
    return dg.AssetObservation(
        account_key(connection),
        description=f"Nothing new in {', '.join(tables)}.",
        metadata={_TABLES: dg.MetadataValue.json(msgspec.to_builtins(known))},
    )


def quiet_tables_of(events: Sequence[dg.DagsterEvent], run_id: str) -> dict[str, dict[str, Any]]:
    """Returns metadata of a run's quiet tables, by table, from its events."""
    return {
        name: dict(each.metadata)
        for event in events
        if event.is_asset_observation
        for name, each in _tables(event.asset_observation_data.asset_observation).items()
        if each.run_id == run_id
    }


def last_quiet_tables(
    instance: dg.DagsterInstance, connection: ConnectionSettings
) -> dict[str, QuietTable]:
    """Returns the tables in which a sync found nothing new, by table."""
    for record in instance.fetch_observations(account_key(connection), limit=1).records:
        if record.asset_observation is not None:
            return _tables(record.asset_observation)
    return {}


def _tables(known: dg.AssetObservation) -> dict[str, QuietTable]:
    value = known.metadata.get(_TABLES)
    return {} if value is None else msgspec.convert(value.value, dict[str, QuietTable])
