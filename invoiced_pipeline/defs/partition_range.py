"""The partitions that a run was started for: whether they are a range of the grid.

Dagster takes a reversed range for an empty one: the run would read nothing and succeed.
"""

from collections.abc import Mapping

import dagster as dg

from invoiced_pipeline.exceptions import ConfigurationError


def check_partition_range(tags: Mapping[str, str], partitions: dg.PartitionsDefinition) -> None:
    """Checks the range by a run's tags, before anything is read.

    Raises:
        ConfigurationError: It is reversed, or a partition is outside of the grid.
    """
    first = tags.get("dagster/asset_partition_range_start", tags.get("dagster/partition"))
    last = tags.get("dagster/asset_partition_range_end", first)
    every = {key: number for number, key in enumerate(partitions.get_partition_keys())}
    for key in (first, last):
        if key is not None and key not in every:
            keys = list(every)
            message = (
                f"there is no partition {key!r}: they begin with {keys[0]} and end with "
                f"{keys[-1]}. Nothing was read. Choose one of them"
            )
            raise ConfigurationError(message)
    if first is not None and last is not None and every[first] > every[last]:
        message = (
            f"the range {first}...{last} is reversed: its first partition is after its last. "
            f"Nothing was read. Start it with {last}...{first}"
        )
        raise ConfigurationError(message)
