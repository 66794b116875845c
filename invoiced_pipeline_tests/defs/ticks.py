"""Ticks of a schedule, recorded as Dagster's daemon does.

Its records have no public constructor: the one place of these tests that needs private names.
"""

from datetime import datetime

import dagster as dg
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    ManagedGrpcPythonEnvCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    ScheduleInstigatorData,
    TickData,
    TickStatus,
)
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin


def turn_on(instance: dg.DagsterInstance, schedule: str) -> InstigatorState:
    """Turns the schedule on, as the UI does."""
    location = ManagedGrpcPythonEnvCodeLocationOrigin(
        LoadableTargetOrigin(module_name="invoiced_pipeline.definitions"), "invoiced_pipeline"
    )
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "__repository__"), schedule)
    state = InstigatorState(
        origin,
        InstigatorType.SCHEDULE,
        InstigatorStatus.RUNNING,
        ScheduleInstigatorData("* * * * *"),
    )
    instance.add_instigator_state(state)
    return state


def record_skip(
    instance: dg.DagsterInstance, state: InstigatorState, at: datetime, reason: str
) -> None:
    """Records a tick that led to no run."""
    instance.create_tick(
        TickData(
            instigator_origin_id=state.instigator_origin_id,
            instigator_name=state.instigator_name,
            instigator_type=InstigatorType.SCHEDULE,
            status=TickStatus.SKIPPED,
            timestamp=at.timestamp(),
            selector_id=state.selector_id,
            skip_reason=reason,
        )
    )
