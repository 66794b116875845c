"""The dataset's documentation in the warehouse: comments, and the views of its tables."""

import logging
from collections.abc import Iterable, Mapping, Sequence

from invoiced_pipeline.catalog import TABLES, Column, ForeignKey, Table
from invoiced_pipeline.catalog import table as catalog_table
from invoiced_pipeline.catalog.descriptions import column_text, companions
from invoiced_pipeline.catalog.stitch import ALL_COLUMNS, stitch_tables
from invoiced_pipeline.catalog.system_tables import DLT_TABLES, OWN_TABLES
from invoiced_pipeline.catalog.system_tables import LOAD_ID as LOAD_TEXT
from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.replication.decode.columns import (
    DELETED_AT,
    LOAD_ID,
    child_columns,
    parent_columns,
)
from invoiced_pipeline.replication.rejects import REJECTED, REJECTED_COLUMNS
from invoiced_pipeline.warehouse.check_memory import create_memories
from invoiced_pipeline.warehouse.comments import Description, write_comments
from invoiced_pipeline.warehouse.current_views import (
    CurrentView,
    current_schema,
    drop_current_views,
    keep_current_views,
)
from invoiced_pipeline.warehouse.database import Relation, Session
from invoiced_pipeline.warehouse.history_views import (
    HISTORY_COLUMNS,
    history_text,
    keep_history_views,
)
from invoiced_pipeline.warehouse.looked_up_columns import looked_up_columns
from invoiced_pipeline.warehouse.stitch_views import (
    drop_stitch_views,
    keep_stitch_views,
    made_stitch_views,
)

logger = logging.getLogger(__name__)

_ENDED = (
    "When the record was deleted in Invoiced, or found to be (UTC): after this version or a later "
    "one; null if it was not."
)


def document_dataset(
    session: Session,
    tables: Iterable[Table],
    *,
    current_views: bool,
    stitch_schema: str | None = None,
) -> None:
    """Writes comments on tables and columns, and creates indexes and views that are missing.

    Writes only what changed. A failure is logged, and does not fail the run.

    Args:
        session: A session over the dataset; the caller holds the writer's lock.
        tables: As the connection selects them, including those left out.
        current_views: Whether the views without deleted rows should exist.
        stitch_schema: Where the views for dashboards made on Stitch should be; None for nowhere.
    """
    tables = tuple(tables)
    schemas = [session.dataset, current_schema(session.dataset), *filter(None, [stitch_schema])]
    try:
        session.limit_waiting()
        _keep_memories(session)
        _keep_indexes(session)
        relations = session.relations(schemas)
        is_changed = _keep_views(session, relations, tables, current_views=current_views)
        is_changed |= _keep_histories(session, relations, tables)
        is_changed |= _keep_stitch_views(session, relations, stitch_schema)
        if is_changed:
            relations = session.relations(schemas)
        write_comments(session, relations, descriptions(tables))
    except WarehouseError as error:
        logger.warning("The comments in %s could not be updated: %s", session.dataset, error)


def _keep_memories(session: Session) -> None:
    """Creates the table of the checks, which write it after the comments."""
    try:
        create_memories(session)
    except WarehouseError as error:
        logger.warning("_table_checks in %s could not be created: %s", session.dataset, error)


def _keep_indexes(session: Session) -> None:
    try:
        session.keep_indexes(looked_up_columns(TABLES))
    except WarehouseError as error:
        logger.warning("Indexes in %s could not be created: %s", session.dataset, error)


def _keep_views(
    session: Session, relations: Sequence[Relation], tables: Sequence[Table], *, current_views: bool
) -> bool:
    """Returns whether any view was created or dropped."""
    try:
        if current_views:
            return keep_current_views(session, relations, views(tables))
        return drop_current_views(session, relations)
    except WarehouseError as error:
        schema = current_schema(session.dataset)
        logger.warning("The views in %s could not be updated: %s", schema, error)
        return False


def _keep_histories(
    session: Session, relations: Sequence[Relation], tables: Sequence[Table]
) -> bool:
    """Returns whether any view was created."""
    try:
        return keep_history_views(session, relations, tables)
    except WarehouseError as error:
        logger.warning("The views of histories could not be updated: %s", error)
        return False


def _keep_stitch_views(session: Session, relations: Sequence[Relation], schema: str | None) -> bool:
    """Returns whether any view was created or dropped."""
    wanted = [each for table in TABLES for each in stitch_tables(table)]
    try:
        made = made_stitch_views(session, [each.name for each in wanted])
        is_dropped = drop_stitch_views(session, [each for each in made if each.schema != schema])
        return is_dropped | (
            schema is not None and keep_stitch_views(session, schema, relations, wanted)
        )
    except WarehouseError as error:
        logger.warning("The views for dashboards made on Stitch could not be updated: %s", error)
        return False


def views(tables: Iterable[Table]) -> dict[str, CurrentView]:
    """Returns the views without deleted rows, by table."""
    return {
        name: CurrentView(f"{text} Without deleted rows.", companions(columns))
        for name, text, columns, _ in _described(tables)
    }


def descriptions(tables: Iterable[Table]) -> Mapping[str, Description]:
    """Returns the description of every table, by name: Invoiced's, this project's and dlt's."""
    tables = tuple(tables)
    found = {
        name: Description(
            text,
            {
                **{column.name: column_text(column, keys) for column in columns},
                **{each.name: each.description for each in companions(columns)},
                **{each.name: each.description for each in ALL_COLUMNS},
                LOAD_ID: LOAD_TEXT,
            },
        )
        for name, text, columns, keys in _described(tables)
    }
    for table in tables:
        columns = {**found[table.name].columns, DELETED_AT: _ENDED}
        text = history_text(table)
        found[table.versions_name] = Description(f"{text} Read {table.history_name}.", columns)
        found[table.history_name] = Description(text, {**columns, **HISTORY_COLUMNS})
    for each in (*OWN_TABLES, *DLT_TABLES):
        found[each.name] = Description(each.description, {LOAD_ID: LOAD_TEXT, **each.columns})
    rejected = {column.name: column.description for column in REJECTED_COLUMNS}
    found[REJECTED] = Description(found[REJECTED].text, {**found[REJECTED].columns, **rejected})
    return found


def _described(
    tables: Iterable[Table],
) -> Iterable[tuple[str, str, tuple[Column, ...], tuple[ForeignKey, ...]]]:
    """Yields name, text, columns and joins of every table and child table."""
    for table in tables:
        keys = (*table.foreign_keys, *table.joins)
        yield table.name, table.description, parent_columns(table), keys
        # A child table that was loaded once stays, even if it is no longer selected.
        for child in catalog_table(table.name).children:
            text = f"{child.description} Rows of {table.name}.{child.array}."
            yield table.child_name(child), text, child_columns(table, child), child.joins
