"""Runs that failed lately, by job."""

from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

import dagster as dg

from invoiced_pipeline.defs.names import sweep_job_name, sync_job_name, writeback_job_name
from invoiced_pipeline.defs.runs.dead_runs import is_over
from invoiced_pipeline.settings import ConnectionSettings, Settings

_LATELY = timedelta(hours=24)


def failed_runs(
    instance: dg.DagsterInstance,
    settings: Settings,
    connection: ConnectionSettings,
    now: datetime,
) -> Mapping[str, int]:
    """Counts a connection's runs that failed in the 24 hours before `now` (aware), by job.

    Jobs without one are 0. A total over the whole history would fall when old runs are deleted.
    """
    writebacks = {
        writeback_job_name(connection, each.name)
        for each in settings.writeback
        if settings.find(each.connection) == connection
    }
    jobs = (sync_job_name(connection), sweep_job_name(connection), *sorted(writebacks))
    lately = dg.RunsFilter(statuses=[dg.DagsterRunStatus.FAILURE], updated_after=now - _LATELY)
    failed = (
        run.job_name
        for run in instance.get_runs(lately)
        if run.job_name in writebacks or is_over(run, connection.dataset)
    )
    return {**dict.fromkeys(jobs, 0), **Counter(failed)}
