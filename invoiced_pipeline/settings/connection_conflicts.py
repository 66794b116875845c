"""Several connections in one file: what keeps their data and their keys apart."""

from collections.abc import Sequence

from invoiced_pipeline.settings.addresses import remembered_host
from invoiced_pipeline.settings.connection import ConnectionSettings
from invoiced_pipeline.settings.dataset_limits import DERIVED


def clash(connections: Sequence[ConnectionSettings]) -> str | None:
    """What two connections cannot both have, as `connection '<name>': <key>: ...`; None if nothing.

    A dataset belongs to one connection, and so does the schema beside it through which dlt merges.
    A key opens one host, so that one variable for two hosts sends a key where it does not belong.
    """
    for number, later in enumerate(connections):
        where = f"connection {later.name!r}"
        for earlier in connections[:number]:
            if _share_a_schema(earlier, later):
                return (
                    f"{where}: name: it would write into the dataset {later.dataset!r}, which is "
                    f"that of connection {earlier.name!r}, or one beside it, such as the one "
                    "through which dlt loads it. Give one of them another name"
                )
            if later.api_key_env == earlier.api_key_env and are_strangers(earlier, later):
                return (
                    f"{where}: api_key_env: {later.api_key_env} is the key of "
                    f"connection {earlier.name!r} at {earlier.base_url}, and {later.name!r} is at "
                    f"{later.base_url}: a key opens one host only. Name another variable"
                )
    return None


def are_strangers(one: ConnectionSettings, other: ConnectionSettings) -> bool:
    """Whether a key of the one must never reach the other: their hosts differ."""
    return remembered_host(one.base_url) != remembered_host(other.base_url)


def _share_a_schema(one: ConnectionSettings, other: ConnectionSettings) -> bool:
    derived = {f"{each.dataset}{ending}" for each in (one, other) for ending in DERIVED}
    return one.dataset == other.dataset or bool({one.dataset, other.dataset} & derived)
