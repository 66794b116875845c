"""A view of every version of a table's records, with the time for which each version held."""

from collections.abc import Iterable, Mapping, Sequence

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.catalog.descriptions import DELETED_AT
from invoiced_pipeline.warehouse.database import Relation, Session
from invoiced_pipeline.warehouse.marked_views import View, is_free, make_view

HISTORY_COLUMNS: Mapping[str, str] = {
    "valid_from": "From when on the record was like this (UTC): its updated_at.",
    "valid_to": "Until when (UTC), exclusive: the next version's valid_from, or the time of the "
    "record's deletion; null while it is like this.",
    "is_current": "Whether the record is like this now, as far as the last sync knows.",
}
"""Columns of a history besides those of its table."""


def history_text(table: Table) -> str:
    """Returns what one row of a table's history is."""
    return (
        f"Every version of a record of {table.name} that a load has read, one row per id and "
        "updated_at."
    )


def keep_history_views(
    session: Session, relations: Sequence[Relation], tables: Iterable[Table]
) -> bool:
    """Creates the views that are missing or lack a column, in one transaction.

    A history that was switched off has its versions and its view still.

    Args:
        session: May write.
        relations: The tables and views in the dataset.
        tables: All tables that can keep a history; one without versions gets no view.

    Returns:
        Whether any view was created.

    Raises:
        WarehouseError: No view was created; the text says why.
    """
    known = {each.name: each for each in relations if each.schema == session.dataset}
    is_made = False
    with session.transaction():
        for table in tables:
            versions = known.get(table.versions_name)
            if versions is None or versions.is_view:
                continue
            switch = f"set history = false under [connection.tables.{table.name}]"
            view = known.get(table.history_name)
            if is_free(session.dataset, table.history_name, view, switch):
                is_made |= _keep(session, table, versions, view)
    return is_made


def history_query(table: Table, columns: Iterable[str]) -> str:
    """Returns the query of a table's history.

    A deletion ends the version that held at its time. If it seems to be earlier than the last
    version, because another clock set it, that version ends as it begins.

    Args:
        table: The table.
        columns: Columns of the view, in order.
    """
    time = f'"{table.replication_key}"'
    sql = {
        "valid_from": time,
        "valid_to": "valid_to",
        "is_current": "valid_to is null",
    }
    listed = ", ".join(
        f'{sql[name]} as "{name}"' if name in sql else f'"{name}"' for name in columns
    )
    deleted = f"case when {time} is null or {DELETED_AT} >= {time} then {DELETED_AT} end"
    late = f"case when {DELETED_AT} is not null then {time} end"
    # Names have no schema, which the session sets: so the view works in a renamed file, too.
    return (
        f"select {listed} from (select *, coalesce(least(lead({time}) over (partition by "  # noqa: S608 - our own names
        f'"{table.primary_key}" order by {time} nulls first), {deleted}), {late}) as valid_to '
        f"from {table.versions_name}) as versions"
    )


def _keep(session: Session, table: Table, versions: Relation, view: Relation | None) -> bool:
    columns = [*versions.columns, *HISTORY_COLUMNS]
    if view is not None:  # PostgreSQL replaces a view only by one that begins with its columns
        before = [name for name in view.columns if name in columns]
        columns = [*before, *(name for name in columns if name not in before)]
    query = history_query(table, columns)
    return make_view(
        session, View(session.dataset, table.history_name, query, history_text(table)), view
    )
