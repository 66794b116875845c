"""What the last sweep of a connection did."""

from collections.abc import Iterator, Sequence

import dagster as dg

from invoiced_pipeline.alerts.incident import Finding, Key
from invoiced_pipeline.defs.alerts.ended_runs import ended_runs, op_config
from invoiced_pipeline.defs.alerts.run_outcome import parts_that_failed
from invoiced_pipeline.defs.alerts.table_findings import WHOLE_SWEEP
from invoiced_pipeline.defs.names import sweep_job_name, sweep_op_name
from invoiced_pipeline.settings import ConnectionSettings


def sweep_findings(
    instance: dg.DagsterInstance, connection: ConnectionSettings, tables: Sequence[str]
) -> Iterator[Finding]:
    """Yields which tables the last sweep compared, and which it did not.

    Args:
        instance: Where runs are recorded.
        connection: Whose sweep.
        tables: The tables of the connection.
    """
    for record in ended_runs(instance, sweep_job_name(connection), limit=1):
        run = record.dagster_run
        reasons: dict[str, str] = {}
        if run.status is not dg.DagsterRunStatus.SUCCESS:
            parts = parts_that_failed(instance, run.run_id)
            if parts is None:
                return
            reasons = {
                each.subject if each.is_table else WHOLE_SWEEP: each.reason for each in parts
            }
        swept = op_config(run, sweep_op_name(connection)).get("tables") or tables
        compared = () if WHOLE_SWEEP in reasons else swept
        for subject in {WHOLE_SWEEP, *compared, *reasons}:
            yield Finding(
                key=Key("sweep", subject),
                at=record.end_time or 0.0,
                reason=reasons.get(subject),
                run_id=run.run_id,
            )
