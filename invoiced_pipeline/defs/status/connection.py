"""The state of a connection: its schedule, tables, write-backs and failed runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import dagster as dg

from invoiced_pipeline.defs.names import schedule_name, sync_job_name
from invoiced_pipeline.defs.status.failed_runs import failed_runs
from invoiced_pipeline.defs.status.tables import TableStatus, table_statuses
from invoiced_pipeline.defs.status.writebacks import WritebackStatus, writeback_statuses
from invoiced_pipeline.scheduling.schedule import connection_schedule
from invoiced_pipeline.settings import ConnectionSettings, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectionStatus:
    """The state of one connection.

    Attributes:
        connection: Its name.
        dataset: The dataset of its tables.
        schedule: When its syncs start, in words.
        schedule_on: Whether the schedule is turned on.
        next_start: The schedule's next start (UTC); None if there are no more.
        last_start: When (UTC) the last run over any of its tables began.
        stale_after_hours: Hours without a load after which a table is stale.
        tables: Its tables.
        writebacks: Its write-backs.
        failed_runs: Runs that failed in the last 24 hours, by job.
    """

    connection: str
    dataset: str
    schedule: str
    schedule_on: bool
    next_start: datetime | None
    last_start: datetime | None
    stale_after_hours: float
    tables: Sequence[TableStatus]
    writebacks: Sequence[WritebackStatus]
    failed_runs: Mapping[str, int]

    @property
    def is_well(self) -> bool:
        """Whether no table has failed or is stale, and no write-back has failed."""
        return not (
            any(table.state == "failed" or table.is_stale for table in self.tables)
            or any(writeback.state == "failed" for writeback in self.writebacks)
        )


def connection_status(
    instance: dg.DagsterInstance,
    settings: Settings,
    connection: ConnectionSettings,
    now: datetime,
) -> ConnectionStatus:
    """Returns the state of a connection at `now` (aware).

    Raises:
        ConfigurationError: Its cron expression, or its selection of tables, is wrong.
    """
    schedule = connection_schedule(settings, connection)
    name = schedule_name(sync_job_name(connection))
    tables = table_statuses(instance, settings, connection, now)
    return ConnectionStatus(
        connection=connection.name,
        dataset=connection.dataset,
        schedule=schedule.describe(),
        schedule_on=any(
            state.is_running
            for state in instance.all_instigator_state()
            if state.instigator_name == name
        ),
        next_start=next(schedule.starts_after(now), None),
        last_start=max(filter(None, (each.started_at for each in tables)), default=None),
        stale_after_hours=connection.fail_after_hours,
        tables=tables,
        writebacks=writeback_statuses(instance, settings, connection),
        failed_runs=failed_runs(instance, settings, connection, now),
    )
