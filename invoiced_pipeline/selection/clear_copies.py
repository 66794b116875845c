"""Columns that one connection hides and another replicates in clear text from the same account."""

from collections.abc import Iterator

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.selection.tables import all_tables_of, tables_of
from invoiced_pipeline.settings import ConnectionSettings, Settings


def clear_copies(settings: Settings, connection: ConnectionSettings) -> str | None:
    """Describes what `connection` replicates in clear text that another one hashes or drops.

    None if there is nothing, or if `allow_clear_copy` is set.
    """
    if connection.allow_clear_copy:
        return None
    kept = {
        (table.name, column.name)
        for table in tables_of(settings, connection)
        for column in table.columns
        if column.treatment == "kept"
    }
    for other in settings.connection:
        if other is connection or not settings.is_same_account(connection, other):
            continue
        shown = [f"{name} ({how})" for name, how in _hidden(other, kept)]
        if shown:
            return (
                f"connection {connection.name!r} replicates columns in clear text that connection "
                f"{other.name!r}, to the same account, hides: {', '.join(shown)}. Hash, drop or "
                f"exclude them in both, or set allow_clear_copy = true in connection "
                f"{connection.name!r}"
            )
    return None


def refuse_clear_copies(settings: Settings) -> None:
    """Checks all connections.

    Raises:
        ConfigurationError: A connection replicates in clear text what another one hides.
    """
    for connection in settings.connection:
        if problem := clear_copies(settings, connection):
            message = f"{settings.source}: {problem}"
            raise ConfigurationError(message)


def _hidden(
    connection: ConnectionSettings, kept: set[tuple[str, str]]
) -> Iterator[tuple[str, str]]:
    for table in all_tables_of(connection):
        for column in table.columns:
            if column.treatment in {"hashed", "dropped"} and (table.name, column.name) in kept:
                yield f"{table.name}.{column.name}", column.treatment
