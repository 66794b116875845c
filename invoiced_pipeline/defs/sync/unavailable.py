"""Tables that the account does not have: Dagster observes them and does not materialize them.

A materialization would signal new data downstream, and mark partitions as loaded that are not. So
such a table gets an observation with the reason, and a warning: the check that its coverage reaches
up to now does not pass.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import dagster as dg

from invoiced_pipeline.defs.names import table_key
from invoiced_pipeline.replication.checks import Check
from invoiced_pipeline.settings import ConnectionSettings

if TYPE_CHECKING:
    from invoiced_pipeline.replication.report import TableReport

UNAVAILABLE = "unavailable"
"""Metadata of an observation: the API's message."""

_CHECK: Check = "newest_window"


def unavailable_events(
    connection: ConnectionSettings, name: str, message: str
) -> tuple[dg.AssetObservation, dg.AssetCheckResult]:
    """Returns what a run records of a table that the account does not have.

    Args:
        connection: The connection of the table.
        name: The table.
        message: The API's message.
    """
    key = table_key(connection, name)
    text = f"The account does not have this table, and nothing was loaded: {message}"
    seen = dg.AssetObservation(
        asset_key=key, description=text, metadata={UNAVAILABLE: dg.MetadataValue.text(message)}
    )
    check = dg.AssetCheckResult(
        asset_key=key,
        check_name=_CHECK,
        passed=False,
        severity=dg.AssetCheckSeverity.WARN,
        description=text,
    )
    return seen, check


def warned_checks(
    connection: ConnectionSettings, unavailable: Iterable[str]
) -> set[dg.AssetCheckKey]:
    """Returns the checks of some tables for which `unavailable_events` yields a result."""
    return {dg.AssetCheckKey(table_key(connection, name), _CHECK) for name in unavailable}


def api_message(observation: dg.AssetObservation) -> str | None:
    """Returns the API's message about an unavailable table; None for other observations."""
    message = observation.metadata.get(UNAVAILABLE)
    return None if message is None else str(message.value)


def unavailable_since_load(
    instance: dg.DagsterInstance, key: dg.AssetKey, loaded: dg.EventLogEntry | None
) -> bool:
    """Returns whether a table's newest event says that the account does not have it.

    Args:
        instance: Dagster's run history.
        key: The table's asset.
        loaded: Its last materialization.
    """
    records = instance.fetch_observations(key, limit=1).records
    if not records or (loaded is not None and records[0].timestamp < loaded.timestamp):
        return False
    observation = records[0].asset_observation
    return observation is not None and api_message(observation) is not None


def earlier_partitions(
    context: dg.AssetExecutionContext,
    report: "TableReport",
    partitions: dg.TimeWindowPartitionsDefinition,
) -> list[str]:
    """Returns the partitions before the run's range that the run read nevertheless.

    Unavailable tables do not widen a run's range. Once the account has such a table, a sync reads
    all of it.

    Args:
        context: The run's; it has the range.
        report: What the run read of the table.
        partitions: All partitions.
    """
    began = context.partition_time_window.start
    read = [window for window in report.covered if window.start < began]
    found: list[str] = []
    for partition in partitions.get_partition_keys() if read else ():
        window = partitions.time_window_for_partition_key(partition)
        if window.start >= began:
            break
        if any(each.start < window.end and window.start < each.end for each in read):
            found.append(partition)
    return found


def unavailable_tables(events: Iterable[dg.DagsterEvent]) -> dict[str, str]:
    """Returns the API's messages in a run's events, by table that the account does not have."""
    found: dict[str, str] = {}
    for event in events:
        if not event.is_asset_observation:
            continue
        observation = event.asset_observation_data.asset_observation
        message = api_message(observation)
        if message is not None:
            found[observation.asset_key.path[-1]] = message
    return found
