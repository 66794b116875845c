"""Starts that were left out, by the records that Dagster keeps of a schedule's ticks."""

from collections.abc import Sequence
from datetime import UTC, datetime

import dagster as dg

from invoiced_pipeline.defs.names import schedule_name, sync_job_name
from invoiced_pipeline.defs.scheduled_start import NO_START
from invoiced_pipeline.replication.sync_log import SkippedStart

_MOST = 1000
"""Ticks looked at, the newest: Dagster keeps skipped ones for a week, by `dagster.yaml`."""


def skipped_starts(instance: dg.DagsterInstance, dataset: str) -> Sequence[SkippedStart]:
    """The starts of a dataset's syncs that were left out, oldest first.

    Args:
        instance: Where ticks are recorded; one without schedules has none.
        dataset: Whose.
    """
    if instance.schedule_storage is None:
        return []
    name = schedule_name(sync_job_name(dataset))
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
