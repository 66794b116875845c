"""Conflicts between connections: a schema that two would share, a key for two hosts."""

from collections import defaultdict
from collections.abc import Sequence

from invoiced_pipeline.settings.addresses import remembered_host
from invoiced_pipeline.settings.connection import ConnectionSettings
from invoiced_pipeline.settings.dataset_limits import DERIVED


def connection_conflict(connections: Sequence[ConnectionSettings]) -> str | None:
    """Describes the first conflict as `connection '<name>': <key>: ...`; None without one.

    A dataset belongs to one connection, and so does dlt's staging schema beside it. A key works at
    one host only: one variable for two hosts would send a key to the wrong one.
    """
    schemas = _Schemas(connections)
    keys: dict[str, ConnectionSettings] = {}
    for later in connections:
        where = f"connection {later.name!r}"
        if taken := schemas.owner_of_stitch_schema(later):
            return (
                f"{where}: stitch_schema: {later.stitch_schema!r} is a schema of connection "
                f"{taken.name!r}. Choose a name that no dataset has, such as stitch_{later.dataset}"
            )
        if earlier := schemas.claim(later):
            return (
                f"{where}: name: its dataset {later.dataset!r} would share a schema with "
                f"connection {earlier.name!r}, either the dataset itself or a schema derived "
                "from it, such as dlt's staging schema. Rename one of them"
            )
        earlier = keys.setdefault(later.api_key_env, later)
        if have_different_hosts(earlier, later):
            return (
                f"{where}: api_key_env: {later.api_key_env} is the key of "
                f"connection {earlier.name!r} at {earlier.base_url}, but {later.name!r} uses "
                f"{later.base_url}, and a key works at one host only. Name another variable"
            )
    return None


def have_different_hosts(one: ConnectionSettings, other: ConnectionSettings) -> bool:
    """Whether the hosts differ, so that a key of one must never be sent to the other."""
    return remembered_host(one.base_url) != remembered_host(other.base_url)


class _Schemas:
    """Which connection has which schema: looked up by name, since there may be thousands."""

    def __init__(self, connections: Sequence[ConnectionSettings]) -> None:
        self._datasets: dict[str, ConnectionSettings] = {}
        self._derived: dict[str, ConnectionSettings] = {}
        self._all = {name: each for each in connections for name in _schemas_of(each)}
        self._of_stitch: defaultdict[str, list[ConnectionSettings]] = defaultdict(list)
        for each in connections:
            if each.stitch_schema is not None:
                self._of_stitch[each.stitch_schema].append(each)

    def claim(self, connection: ConnectionSettings) -> ConnectionSettings | None:
        """Gives a connection its schemas; returns the one that has any of them already."""
        dataset, *derived = _schemas_of(connection)
        owner = self._datasets.get(dataset) or self._derived.get(dataset)
        for name in derived:
            owner = owner or self._datasets.get(name)
            self._derived.setdefault(name, connection)
        self._datasets.setdefault(dataset, connection)
        return owner

    def owner_of_stitch_schema(self, connection: ConnectionSettings) -> ConnectionSettings | None:
        """Returns the connection that has its schema for something else; None if it is free."""
        wanted = connection.stitch_schema
        if wanted is None:
            return None
        others = (each for each in self._of_stitch[wanted] if each is not connection)
        return self._all.get(wanted) or next(others, None)


def _schemas_of(connection: ConnectionSettings) -> tuple[str, ...]:
    """Returns the dataset and the schemas derived from it."""
    dataset = connection.dataset
    return (dataset, *(f"{dataset}{ending}" for ending in DERIVED))
