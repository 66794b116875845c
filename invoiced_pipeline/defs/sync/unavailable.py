"""Tables that the account does not have, as Dagster shows them: observed, and not materialised.

A materialisation would tell everything downstream that data arrived, and mark partitions as loaded
that are not. So such a table gets an observation that says why, and a warning where the UI looks
for one: the check that its coverage reaches up to now does not pass.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import dagster as dg

from invoiced_pipeline.replication.checks import Check

if TYPE_CHECKING:
    from invoiced_pipeline.replication.report import TableReport

UNAVAILABLE = "unavailable"
"""Metadata of an observation: what the API says."""

_CHECK: Check = "newest_window"


def unavailable_events(
    dataset: str, unavailable: Mapping[str, str]
) -> Iterator[dg.AssetObservation | dg.AssetCheckResult]:
    """What a run records of tables that the account does not have.

    Args:
        dataset: Whose tables.
        unavailable: What the API says, by table.
    """
    for name, words in unavailable.items():
        key = dg.AssetKey([dataset, name])
        text = f"The account does not have this table, and nothing was loaded: {words}"
        yield dg.AssetObservation(
            asset_key=key, description=text, metadata={UNAVAILABLE: dg.MetadataValue.text(words)}
        )
        yield dg.AssetCheckResult(
            asset_key=key,
            check_name=_CHECK,
            passed=False,
            severity=dg.AssetCheckSeverity.WARN,
            description=text,
        )


def warned_checks(dataset: str, unavailable: Iterable[str]) -> set[dg.AssetCheckKey]:
    """The checks that `unavailable_events` gives a result, of some tables."""
    return {dg.AssetCheckKey(dg.AssetKey([dataset, name]), _CHECK) for name in unavailable}


def words_of(observation: dg.AssetObservation) -> str | None:
    """What the API says of an observed table that the account does not have; else None."""
    said = observation.metadata.get(UNAVAILABLE)
    return None if said is None else str(said.value)


def unavailable_since_load(
    instance: dg.DagsterInstance, key: dg.AssetKey, loaded: dg.EventLogEntry | None
) -> bool:
    """Whether the last thing recorded of a table is that the account does not have it.

    Args:
        instance: Dagster's records.
        key: The table.
        loaded: Its last materialisation.
    """
    records = instance.fetch_observations(key, limit=1).records
    if not records or (loaded is not None and records[0].timestamp < loaded.timestamp):
        return False
    observation = records[0].asset_observation
    return observation is not None and words_of(observation) is not None


def earlier_partitions(
    context: dg.AssetExecutionContext,
    report: "TableReport",
    grid: dg.TimeWindowPartitionsDefinition,
) -> list[str]:
    """Partitions before the run's range that it has read, too: those of a table that came late.

    A run's range does not wait for tables that the account does not have. Once such a table can be
    read, all of it is.

    Args:
        context: The run's.
        report: What the run read of the table.
        grid: All partitions.
    """
    began = context.partition_time_window.start
    read = [window for window in report.covered if window.start < began]
    found: list[str] = []
    for partition in grid.get_partition_keys() if read else ():
        window = grid.time_window_for_partition_key(partition)
        if window.start >= began:
            break
        if any(each.start < window.end and window.start < each.end for each in read):
            found.append(partition)
    return found


def unavailable_tables(events: Iterable[dg.DagsterEvent]) -> dict[str, str]:
    """What a run's events say of tables that the account does not have, by table."""
    found: dict[str, str] = {}
    for event in events:
        if not event.is_asset_observation:
            continue
        observation = event.asset_observation_data.asset_observation
        words = words_of(observation)
        if words is not None:
            found[observation.asset_key.path[-1]] = words
    return found
