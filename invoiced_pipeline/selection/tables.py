"""The tables of a connection: which ones it selects, and how their columns are treated.

Derived from catalog and settings alone. The rest of the code reads the `Table`, not the settings.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from invoiced_pipeline.catalog import (
    ALL_TABLES,
    OPTIONAL_TABLE_NAMES,
    TABLE_NAMES,
    Balance,
    Column,
    Table,
)
from invoiced_pipeline.catalog import table as catalog_table
from invoiced_pipeline.catalog.model import Treatment
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import ConnectionSettings, Settings, TableSettings
from invoiced_pipeline.settings.suggestions import did_you_mean

_NOTES: dict[Treatment, str] = {
    "kept": "",
    "excluded": " Left out: NULL in rows loaded since.",
    "hashed": " Hashed: SHA-256 with the connection's salt.",
    "dropped": " Dropped: always NULL.",
}
_NOTHING_SET = TableSettings()


def tables_of(settings: Settings, connection: ConnectionSettings) -> tuple[Table, ...]:
    """Returns the tables that a connection replicates, in the catalog's order.

    Raises:
        ConfigurationError: A table or column does not exist, or a column cannot be treated that
            way. The message names the file, the key and what is accepted.
    """
    where = f"{settings.source}: connection {connection.name!r}: tables"
    every = all_tables_of(connection, where)
    selected = {table.name: table for table in every if is_selected(connection, table.name)}
    if not selected:
        message = f"{where}.exclude: no table is left; {_there_are('table', TABLE_NAMES)}"
        raise ConfigurationError(message)
    return tuple(_with_checks(table, selected) for table in selected.values())


def is_selected(connection: ConnectionSettings, table: str) -> bool:
    """Returns whether a connection replicates the table with this name."""
    tables = connection.tables
    if table in OPTIONAL_TABLE_NAMES:
        is_included = table in {*tables.optional, *(tables.include or ())}
    else:
        is_included = tables.include is None or table in tables.include
    return is_included and table not in tables.exclude


def all_tables_of(connection: ConnectionSettings, where: str = "tables") -> tuple[Table, ...]:
    """Returns all tables with the treatment of their columns, including tables left out.

    Args:
        connection: The connection.
        where: Prefix of error messages.

    Raises:
        ConfigurationError: As in `tables_of`.
    """
    tables = connection.tables
    names = (*TABLE_NAMES, *OPTIONAL_TABLE_NAMES)
    children = [table.child_name(child) for table in ALL_TABLES for child in table.children]
    _check_names(f"{where}.include", tables.include or (), "table", names)
    _check_names(f"{where}.exclude", tables.exclude, "table", (*names, *children))
    _check_names(f"{where}.optional", tables.optional, "optional table", OPTIONAL_TABLE_NAMES)
    _check_names(where, tables.by_table, "table", names)
    return tuple(_table_of(table, connection, f"{where}.{table.name}") for table in ALL_TABLES)


def unloaded(table: Table) -> frozenset[str]:
    """Returns columns that are not loaded as they are, and arrays without a child table."""
    arrays = {child.array for child in catalog_table(table.name).children}
    columns = {column.name for column in table.columns if column.treatment != "kept"}
    return frozenset(columns | arrays - {child.array for child in table.children})


def _table_of(table: Table, connection: ConnectionSettings, where: str) -> Table:
    tables = connection.tables
    own = tables.by_table.get(table.name, _NOTHING_SET)
    _check_columns(table, own, where)
    _check_history(table, own, where)
    _check_retention(table, own, where)
    columns = tuple(_treated(column, table, own) for column in table.columns)
    has_children = tables.children if own.children is None else own.children
    read = {column.name for column in columns if column.is_read}
    children = tuple(
        child
        for child in table.children
        if child.array in read and table.child_name(child) not in tables.exclude
    )
    return replace(
        table,
        columns=columns,
        children=children if has_children else (),
        method=own.method,
        keeps_history=own.history,
        retention_days=own.retention_days,
    )


def _treated(column: Column, table: Table, own: TableSettings) -> Column:
    treatment: Treatment = "kept"
    if column.name in own.hash:
        treatment = "hashed"
    elif column.name in own.drop:
        treatment = "dropped"
    elif column.name in own.exclude or (own.include is not None and column.name not in own.include):
        if column.name in table.always_read:
            return column
        treatment = "excluded"
    if treatment == "kept":
        return column
    description = column.description + _NOTES[treatment]
    # Values hidden in the warehouse must not appear in error messages either.
    return replace(column, treatment=treatment, description=description, sensitive=True)


def _check_columns(table: Table, own: TableSettings, where: str) -> None:
    names = [column.name for column in table.columns]
    keys = table.always_read | {key.column for key in table.foreign_keys}
    for setting in ("include", "exclude", "hash", "drop"):
        named: list[str] = getattr(own, setting) or []
        _check_names(f"{where}.{setting}", named, "column", names)
    for setting, kept in (("hash", keys), ("drop", table.always_read)):
        if refused := sorted(kept.intersection(getattr(own, setting))):
            message = (
                f"{where}.{setting}: {refused[0]} is a key, needed to merge rows, join tables or "
                f"detect deletions, and has to stay as it is. Remove it from {setting}"
            )
            raise ConfigurationError(message)
    for name in own.hash:
        kind = table.column(name).type
        if kind != "text":
            message = (
                f"{where}.hash: {name} holds {kind}, not text, so a hash does not fit its "
                f'column. To keep its values nowhere, use drop = ["{name}"]'
            )
            raise ConfigurationError(message)


def _check_history(table: Table, own: TableSettings, where: str) -> None:
    if own.history and not table.can_keep_history:
        possible = ", ".join(each.name for each in ALL_TABLES if each.can_keep_history)
        message = (
            f"{where}.history: {table.name} cannot have a history, because its records never "
            f"change, or updated_at does not tell their versions apart. Remove it, or set it for "
            f"one of {possible}"
        )
        raise ConfigurationError(message)


def _check_retention(table: Table, own: TableSettings, where: str) -> None:
    if own.retention_days is not None and table.listing != "appended":
        message = (
            f"{where}.retention_days: only events have a retention, because their rows are only "
            "ever added. Remove it"
        )
        raise ConfigurationError(message)


def _check_names(where: str, names: Iterable[str], what: str, known: Iterable[str]) -> None:
    unknown = [name for name in names if name not in set(known)]
    if unknown:
        message = f"{where}: unknown {what} {unknown[0]!r}; {_there_are(what, known)}"
        if meant := did_you_mean(unknown[0], known):
            message += f".{meant}"
        raise ConfigurationError(message)


def _there_are(what: str, known: Iterable[str]) -> str:
    return f"the {what}s are {', '.join(known)}"


def _with_checks(table: Table, selected: Mapping[str, Table]) -> Table:
    """Removes the checks that are impossible because a table or column they compare is missing."""
    keys = tuple(
        replace(
            key,
            is_checked=key.is_checked and key.table in selected and _is_kept(table, [key.column]),
        )
        for key in table.foreign_keys
    )
    balance = table.balance
    if balance is not None and not _adds_up(table, balance, selected):
        balance = None
    return replace(table, foreign_keys=keys, balance=balance)


def _adds_up(table: Table, balance: Balance, selected: Mapping[str, Table]) -> bool:
    """Whether everything that a balance is computed from is selected and unchanged."""
    arrays = {applied.table for applied in balance.applied if "__" in applied.table}
    loaded = {each.child_name(child) for each in selected.values() for child in each.children}
    return arrays <= loaded and all(
        name in selected and _is_kept(selected[name], words)
        for name, words in balance.sources(table.name).items()
    )


def _is_kept(table: Table, names: Iterable[str]) -> bool:
    wanted = set(names)
    return all(column.treatment == "kept" for column in table.columns if column.name in wanted)
