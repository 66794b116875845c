"""Views that are named as Stitch names its tables and columns, for dashboards made on them.

Rows of deleted records stay in them, as Stitch leaves them. A column that the warehouse does not
have is NULL with the column's type. The columns are cast, so that their types hold whatever the
table's are: PostgreSQL cannot replace a view by one with other types.
"""

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby

from invoiced_pipeline.catalog.model import Column, ColumnType
from invoiced_pipeline.catalog.stitch import LEVELS, SDC_COLUMNS, SOURCE_KEY, StitchTable
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

_SWITCH = "choose another stitch_schema"

_TYPES: Mapping[ColumnType, str] = {
    "bigint": "bigint",
    "text": "text",
    "boolean": "boolean",
    "decimal": "decimal(38, 10)",
    "timestamp": "timestamp with time zone",
    "json": "json",
}

# A load's id is the time at which its run began to read, in seconds since 1970.
_LOAD = "cast(source._dlt_load_id as decimal(20, 9))"
_READ_AT = f"to_timestamp(cast({_LOAD} as double precision))"
_SDC = {
    "_sdc_extracted_at": _READ_AT,
    "_sdc_received_at": _READ_AT,
    "_sdc_batched_at": f"coalesce(loads.inserted_at, {_READ_AT})",
    "_sdc_sequence": f"{_LOAD} * 1000000000",
    "_sdc_table_version": "0",
}

# Older readers of a DuckDB file must be able to parse a view, too: no newer syntax.
_NUMBER = "'-?[0-9]+[.]?[0-9]*([eE][-+]?[0-9]+)?'"


def keep_stitch_views(
    session: Session, schema: str, relations: Sequence[Relation], wanted: Iterable[StitchTable]
) -> bool:
    """Creates the views that are missing or have changed, in one transaction.

    Args:
        session: May write.
        schema: Where the views are.
        relations: The tables and views in the dataset and in `schema`.
        wanted: The views; there is none of a table that does not exist.

    Returns:
        Whether any view was created.

    Raises:
        WarehouseError: No view was created; the text says why.
    """
    tables = {each.name: each for each in relations if each.schema == session.dataset}
    known = {each.name: each for each in relations if each.schema == schema}
    views = [
        _view(session, schema, each, tables[each.source])
        for each in wanted
        if each.source in tables and not tables[each.source].is_view
    ]
    views = [each for each in views if is_free(schema, each.name, known.get(each.name), _SWITCH)]
    is_made = False
    with session.transaction():
        if views and not known:
            make_schema(session, schema)
        for view in views:
            is_made |= make_view(session, view, known.get(view.name))
    return is_made


def made_stitch_views(session: Session, names: Iterable[str]) -> list[Relation]:
    """Returns the views of the session's dataset that were made under some of Stitch's names."""
    names = list(names)
    places = ", ".join(["%s"] * len(names))
    sql = (
        "select distinct table_schema from information_schema.tables "  # noqa: S608
        f"where table_type = 'VIEW' and table_name in ({places})"
    )
    schemas = sorted(schema for (schema,) in session.rows(sql, names))
    if not schemas:
        return []
    return [
        each
        for each in session.relations(schemas)
        if is_ours(each) and _origin(session.dataset, each.name) in (each.comment or "")
    ]


def drop_stitch_views(session: Session, views: Iterable[Relation]) -> bool:
    """Drops views, each schema in one transaction, and schemas that are then empty.

    Returns:
        Whether there were any views.

    Raises:
        WarehouseError: Something depends on one of the views; those of its schema stay.
    """
    by_schema = sorted(views, key=lambda each: each.schema)
    for schema, group in groupby(by_schema, key=lambda each: each.schema):
        ours = list(group)
        drop_views(session, schema, ours, len(session.relations([schema])) - len(ours))
    return bool(by_schema)


def _origin(dataset: str, name: str) -> str:
    """Returns the words in a view's comment by which it is found again."""
    return f"For dashboards made on Stitch: {name} of the dataset {dataset}."


def _view(session: Session, schema: str, table: StitchTable, source: Relation) -> View:
    name = session.seen_from_beside(source.name)
    loads = session.seen_from_beside("_dlt_loads")
    if name is None or schema.lower() == session.catalog.lower():
        taken = session.dataset if name is None else schema
        message = (
            f"the file has the same name as the schema {taken}, so names with it are ambiguous. "
            "Rename the file, or choose another stitch_schema"
        )
        raise WarehouseError(message)
    is_inner = len(table.path) > 1
    columns = _inner_fields(table) if is_inner else _fields(table, source)
    columns += _keys(table)
    columns += [(column, _SDC[column.name]) for column in SDC_COLUMNS]
    listed = ", ".join(
        f'cast({sql} as {_TYPES[column.type]}) as "{column.name}"' for column, sql in columns
    )
    query = f"select {listed} from {name} as source"  # noqa: S608 - our own names
    if is_inner:
        elements = session.elements(_quoted(table.path[1]))
        query += f" cross join lateral ({elements}) as element"
    query += (
        " left join (select load_id, max(inserted_at) as inserted_at "  # noqa: S608
        f"from {loads} group by load_id) as loads on loads.load_id = source._dlt_load_id"
    )
    return View(schema, table.name, query, f"{table.text} {_origin(session.dataset, table.name)}")


def _fields(table: StitchTable, source: Relation) -> list[tuple[Column, str]]:
    return [
        (column, _quoted(column.name) if column.name in source.columns else "null")
        for column in table.columns
    ]


def _inner_fields(table: StitchTable) -> list[tuple[Column, str]]:
    """Returns the fields of an element inside JSON; a value that does not fit its type is NULL."""
    found = []
    for column in table.columns:
        text = f"(element.value ->> '{column.name}')"
        number = f"case when {text} similar to {_NUMBER} then {text} end"
        sql = {
            "json": f"case when {text} is not null then element.value -> '{column.name}' end",
            "timestamp": f"to_timestamp(cast({number} as double precision))",
            "boolean": f"case when {text} in ('true', 'false') then {text} end",
            "decimal": number,
            "bigint": f"cast({number} as decimal(38, 10))",
        }.get(column.type, text)
        found.append((column, sql))
    return found


def _keys(table: StitchTable) -> list[tuple[Column, str]]:
    """Returns the columns that join a subtable to its record."""
    if not table.path:
        return []
    key_type = table.table.column(table.table.primary_key).type
    source_key = Column(SOURCE_KEY.name, key_type, SOURCE_KEY.description)
    positions = ["source._index", "element.position - 1"][: len(table.path)]
    return [
        (source_key, f"source.{table.table.parent_column}"),
        *zip(LEVELS, positions, strict=False),
    ]


def _quoted(name: str) -> str:
    return f'source."{name}"'
