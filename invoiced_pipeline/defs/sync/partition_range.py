"""The range of partitions that a run of the sync is started for."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg

from invoiced_pipeline.defs.names import table_key
from invoiced_pipeline.defs.sync.metadata import COVERED_SINCE, COVERED_UNTIL, COVERED_WINDOWS
from invoiced_pipeline.defs.sync.quiet_tables import last_quiet_tables
from invoiced_pipeline.defs.sync.unavailable import unavailable_since_load
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.replication.report import Mode
from invoiced_pipeline.settings import ConnectionSettings

_PARTITION = "dagster/partition"
_RANGE_START = "dagster/asset_partition_range_start"
_RANGE_END = "dagster/asset_partition_range_end"
"""Dagster's own tags."""


def check_partition_range(tags: Mapping[str, str], partitions: dg.PartitionsDefinition) -> None:
    """Checks the range in a run's tags.

    Dagster takes a reversed range for an empty one: the run would read nothing and succeed.

    Raises:
        ConfigurationError: The range is reversed, or names a partition that does not exist.
    """
    first = tags.get(_RANGE_START, tags.get(_PARTITION))
    last = tags.get(_RANGE_END, first)
    every = {key: number for number, key in enumerate(partitions.get_partition_keys())}
    for key in (first, last):
        if key is not None and key not in every:
            keys = list(every)
            message = (
                f"There is no partition {key!r}: they begin with {keys[0]} and end with "
                f"{keys[-1]}. Nothing was read. Choose one of them"
            )
            raise ConfigurationError(message)
    if first is not None and last is not None and every[first] > every[last]:
        message = (
            f"The range {first}...{last} is reversed: its first partition is after its last. "
            f"Nothing was read. Start it with {last}...{first}"
        )
        raise ConfigurationError(message)


def range_tags(
    partitions: Any,
    instance: dg.DagsterInstance,
    connection: ConnectionSettings,
    tables: Sequence[str],
    mode: Mode,
) -> dict[str, str]:
    """Returns the tags of a run over every partition that the uncovered interval touches.

    In mode `sync` the op reads what is not covered, whatever the range; the range only tells the UI
    which partitions to mark.

    Args:
        partitions: All partitions.
        instance: Dagster's run history.
        connection: Its settings say how far a sync reaches back behind the last one.
        tables: The tables of the run.
        mode: What the run reads.
    """
    first, last = _partition_range(partitions, instance, connection, tables, mode)
    return {_RANGE_START: first, _RANGE_END: last}


def _partition_range(
    partitions: Any,
    instance: dg.DagsterInstance,
    connection: ConnectionSettings,
    tables: Sequence[str],
    mode: Mode,
) -> tuple[str, str]:
    """Returns the first and last partition that the uncovered interval touches."""
    every = partitions.get_partition_keys()
    begin = partitions.time_window_for_partition_key(every[0])
    quiet = last_quiet_tables(instance, connection)
    ends: list[datetime] = []
    keys = [table_key(connection, name) for name in tables]
    entries = (record.asset_entry for record in instance.get_asset_records(keys))
    events = {entry.asset_key: entry.last_materialization for entry in entries}
    for key in keys:
        event = events.get(key)
        if unavailable_since_load(instance, key, event):
            continue  # else it would widen the range of every sync to all partitions
        metadata = _metadata(event)
        known = quiet.get(key.path[-1])
        if known is not None and known.follows(event):
            metadata |= known.metadata
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
    now, overlap = datetime.now(UTC), timedelta(minutes=connection.overlap_minutes)
    reach = max(begin.start, min(min(ends, default=now) - overlap, now))
    return partitions.get_partition_key_for_timestamp(reach.timestamp()), every[-1]


def _metadata(event: dg.EventLogEntry | None) -> dict[str, Any]:
    materialization = event.asset_materialization if event else None
    found = materialization.metadata if materialization else {}
    return {name: value.value for name, value in found.items()}
