"""What the last evaluations of the asset checks found."""

from collections.abc import Iterator, Sequence

import dagster as dg

from invoiced_pipeline.alerts.incident import Finding, Key
from invoiced_pipeline.alerts.reasons import CHECK_FAILED
from invoiced_pipeline.catalog import Table
from invoiced_pipeline.defs.names import asset_key
from invoiced_pipeline.replication.checks import checks_of
from invoiced_pipeline.settings import ConnectionSettings


def check_findings(
    instance: dg.DagsterInstance, connection: ConnectionSettings, tables: Sequence[Table]
) -> Iterator[Finding]:
    """Yields the outcome of every check's last evaluation; a warning counts as well.

    A check that a run is to evaluate, or did not come to, says nothing.
    """
    keys = {
        dg.AssetCheckKey(asset_key(connection, table), check): Key("check", table.name, check)
        for table in tables
        for check in checks_of(table)
    }
    latest = instance.event_log_storage.get_latest_asset_check_execution_by_key(list(keys))
    for key, record in latest.items():
        event = record.event.dagster_event if record.event else None
        if record.event is None or event is None:
            continue
        if event.event_type is not dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            continue
        found = event.asset_check_evaluation_data
        is_wrong = not found.passed and found.severity is dg.AssetCheckSeverity.ERROR
        yield Finding(
            key=keys[key],
            at=record.event.timestamp,
            reason=CHECK_FAILED if is_wrong else None,
            run_id=record.run_id,
        )
