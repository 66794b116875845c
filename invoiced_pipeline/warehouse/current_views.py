"""A view of every table without deleted rows, in the schema `<dataset>_current`.

The views name their columns: in DuckDB, a view with `select *` fails once its table gets a column.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from invoiced_pipeline.catalog.descriptions import DELETED_AT, Companion
from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.warehouse.database import Relation, Session
from invoiced_pipeline.warehouse.marked_views import (
    View,
    drop_views,
    is_free,
    is_ours,
    make_schema,
    make_view,
)

_SWITCH = "set current_views = false"

HIDDEN_COLUMNS = (DELETED_AT, "_tombstone")
"""Columns that would be NULL in every row of a view."""


@dataclass(frozen=True, slots=True)
class CurrentView:
    """What the view of a table has besides the table's columns.

    Attributes:
        text: What one row is.
        companions: Columns that the view adds.
    """

    text: str
    companions: Sequence[Companion] = ()


def current_schema(dataset: str) -> str:
    """Returns the schema of a dataset's views."""
    return f"{dataset}_current"


def keep_current_views(
    session: Session, relations: Sequence[Relation], wanted: Mapping[str, CurrentView]
) -> bool:
    """Creates the views that are missing or lack a column, in one transaction.

    Args:
        session: May write.
        relations: The tables and views in the dataset and in the views' schema.
        wanted: The views, by table; a table that does not exist gets none.

    Returns:
        Whether any view was created.

    Raises:
        WarehouseError: No view was created; the text says why.
    """
    schema = current_schema(session.dataset)
    tables = [
        each
        for each in relations
        if each.schema == session.dataset and each.name in wanted and DELETED_AT in each.columns
    ]
    views = {each.name: each for each in relations if each.schema == schema}
    if tables and session.seen_from_beside(tables[0].name) is None:
        message = (
            f"the file has the same name as the dataset {session.dataset}, so a view in another "
            "schema cannot name its tables. Rename the file, or set current_views = false"
        )
        raise WarehouseError(message)
    tables = [each for each in tables if is_free(schema, each.name, views.get(each.name), _SWITCH)]
    is_made = False
    with session.transaction():
        if not views and tables:
            make_schema(session, schema)
        for table in tables:
            is_made |= _keep(session, table, views.get(table.name), wanted[table.name])
    return is_made


def drop_current_views(session: Session, relations: Iterable[Relation]) -> bool:
    """Drops the views in one transaction, and then their schema, unless it holds anything else.

    Returns:
        Whether there were any views.

    Raises:
        WarehouseError: Nothing was dropped, because something depends on one of the views.
    """
    schema = current_schema(session.dataset)
    there = [each for each in relations if each.schema == schema]
    ours = [each for each in there if is_ours(each)]
    if not ours:
        return False
    drop_views(session, schema, ours, len(there) - len(ours))
    return True


def _keep(session: Session, table: Relation, view: Relation | None, wanted: CurrentView) -> bool:
    schema = current_schema(session.dataset)
    columns = {name: f'"{name}"' for name in table.columns if name not in HIDDEN_COLUMNS}
    for each in wanted.companions:
        if each.of in table.columns:
            columns[each.name] = f'{each.sql} as "{each.name}"'
    # PostgreSQL replaces a view only if the new one begins with the same columns.
    before = [name for name in view.columns if name in columns] if view else []
    order = [*before, *(name for name in columns if name not in before)]
    query = (
        f"select {', '.join(columns[name] for name in order)} "  # noqa: S608 - our own names
        f'from {session.seen_from_beside(table.name)} where "{DELETED_AT}" is null'
    )
    if view is not None and len(before) < len(view.columns):
        session.run(f"drop view {session.qualified(schema, view.name)}")
        view = None
    return make_view(session, View(schema, table.name, query, wanted.text), view)
