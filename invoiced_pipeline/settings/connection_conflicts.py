"""Conflicts between connections: a schema that two would share, a key for two hosts."""

from collections.abc import Sequence

from invoiced_pipeline.settings.addresses import remembered_host
from invoiced_pipeline.settings.connection import ConnectionSettings
from invoiced_pipeline.settings.dataset_limits import DERIVED


def connection_conflict(connections: Sequence[ConnectionSettings]) -> str | None:
    """Describes the first conflict as `connection '<name>': <key>: ...`; None without one.

    A dataset belongs to one connection, and so does dlt's staging schema beside it. A key works at
    one host only: one variable for two hosts would send a key to the wrong one.
    """
    for number, later in enumerate(connections):
        where = f"connection {later.name!r}"
        if taken := _owner_of_stitch_schema(later, connections):
            return (
                f"{where}: stitch_schema: {later.stitch_schema!r} is a schema of connection "
                f"{taken.name!r}. Choose a name that no dataset has, such as stitch_{later.dataset}"
            )
        for earlier in connections[:number]:
            if _share_a_schema(earlier, later):
                return (
                    f"{where}: name: its dataset {later.dataset!r} would share a schema with "
                    f"connection {earlier.name!r}, either the dataset itself or a schema derived "
                    "from it, such as dlt's staging schema. Rename one of them"
                )
            if later.api_key_env == earlier.api_key_env and have_different_hosts(earlier, later):
                return (
                    f"{where}: api_key_env: {later.api_key_env} is the key of "
                    f"connection {earlier.name!r} at {earlier.base_url}, but {later.name!r} uses "
                    f"{later.base_url}, and a key works at one host only. Name another variable"
                )
    return None


def have_different_hosts(one: ConnectionSettings, other: ConnectionSettings) -> bool:
    """Whether the hosts differ, so that a key of one must never be sent to the other."""
    return remembered_host(one.base_url) != remembered_host(other.base_url)


def _share_a_schema(one: ConnectionSettings, other: ConnectionSettings) -> bool:
    derived = {f"{each.dataset}{ending}" for each in (one, other) for ending in DERIVED}
    return one.dataset == other.dataset or bool({one.dataset, other.dataset} & derived)


def _owner_of_stitch_schema(
    connection: ConnectionSettings, connections: Sequence[ConnectionSettings]
) -> ConnectionSettings | None:
    """Returns the connection that has the schema for something else; None if it is free."""
    wanted = connection.stitch_schema
    if wanted is None:
        return None
    for each in connections:
        schemas = {f"{each.dataset}{ending}" for ending in ("", *DERIVED)}
        if wanted in schemas or (each is not connection and wanted == each.stitch_schema):
            return each
    return None
