"""Scheduled starts that were skipped, from Dagster's history of ticks."""

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from invoiced_pipeline.defs.names import schedule_name, sync_job_name
from invoiced_pipeline.defs.scheduled_start import NO_START
from invoiced_pipeline.replication.sync_log import SkippedStart
from invoiced_pipeline.settings import ConnectionSettings

_MOST = 1000
"""Newest ticks that are read; `dagster.yaml` keeps skipped ones for a week."""


def skipped_starts(
    instance: dg.DagsterInstance, connection: ConnectionSettings
) -> Sequence[SkippedStart]:
    """Returns the skipped starts of a connection's syncs, oldest first.

    Args:
        instance: Where ticks are recorded; an instance without schedules has none.
        connection: Whose syncs.
    """
    if instance.schedule_storage is None:
        return []
    name = schedule_name(sync_job_name(connection))
    skipped = [
        SkippedStart(datetime.fromtimestamp(tick.timestamp, UTC), tick.skip_reason)
        for state in instance.all_instigator_state()
        if state.instigator_name == name
        for tick in instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=_MOST)
        if tick.status.value == "SKIPPED"
        and tick.skip_reason
        and not tick.skip_reason.startswith(NO_START)
    ]
    return sorted(skipped, key=lambda skip: skip.at)
