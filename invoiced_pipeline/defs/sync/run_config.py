"""What a run of the sync job is asked for: its range of partitions, and the op's configuration."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from invoiced_pipeline.defs.names import op_name
from invoiced_pipeline.defs.sync.assets import ReplicateConfig, WhenBusy
from invoiced_pipeline.defs.sync.metadata import COVERED_SINCE, COVERED_UNTIL, COVERED_WINDOWS
from invoiced_pipeline.defs.sync.unavailable import unavailable_since_load
from invoiced_pipeline.replication.report import Mode

_RANGE_START = "dagster/asset_partition_range_start"
_RANGE_END = "dagster/asset_partition_range_end"


def sync_config(dataset: str, mode: Mode, when_busy: WhenBusy = "fail") -> dict[str, Any]:
    """The run's configuration."""
    config = ReplicateConfig(mode=mode, when_busy=when_busy)
    return dg.RunConfig(ops={op_name(dataset): config}).to_config_dict()


def range_tags(
    partitions: Any,
    instance: dg.DagsterInstance,
    keys: Sequence[dg.AssetKey],
    overlap: timedelta,
    mode: Mode,
) -> dict[str, str]:
    """Tags that make one run of all partitions which the uncovered interval touches.

    The op reads what the warehouse does not cover whatever the range says; the range tells the UI
    which partitions to mark.
    """
    first, last = _partition_range(partitions, instance, keys, overlap, mode)
    return {_RANGE_START: first, _RANGE_END: last}


def _partition_range(
    partitions: Any,
    instance: dg.DagsterInstance,
    keys: Sequence[dg.AssetKey],
    overlap: timedelta,
    mode: Mode,
) -> tuple[str, str]:
    """The partitions that the uncovered interval touches, by Dagster's own records."""
    every = partitions.get_partition_keys()
    begin = partitions.time_window_for_partition_key(every[0])
    ends: list[datetime] = []
    for key in keys:
        event = instance.get_latest_materialization_event(key)
        if unavailable_since_load(instance, key, event):
            continue  # or every sync would mark all partitions, for a table that never comes
        metadata = _metadata(event)
        since, until = metadata.get(COVERED_SINCE), metadata.get(COVERED_UNTIL)
        has_gaps = metadata.get(COVERED_WINDOWS, 1) != 1
        if (
            since is None
            or until is None
            or has_gaps
            or datetime.fromtimestamp(since, UTC) >= begin.end
        ):
            return every[0], every[-1]
        ends.append(datetime.fromtimestamp(until, UTC))
    if mode != "sync":
        return every[0], every[-1]
    now = datetime.now(UTC)
    reach = max(begin.start, min(min(ends, default=now) - overlap, now))
    return partitions.get_partition_key_for_timestamp(reach.timestamp()), every[-1]


def _metadata(event: dg.EventLogEntry | None) -> dict[str, Any]:
    materialization = event.asset_materialization if event else None
    found = materialization.metadata if materialization else {}
    return {name: value.value for name, value in found.items()}
