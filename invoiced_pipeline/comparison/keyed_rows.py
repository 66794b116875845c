"""The rows of a table in the order of its key, page by page: a large table fits in memory."""

from collections.abc import Iterator, Sequence
from itertools import groupby, pairwise
from operator import itemgetter
from typing import Any

from invoiced_pipeline.catalog import Column
from invoiced_pipeline.warehouse.database import Session

PAGE = 5_000

Row = tuple[Any, ...]


def keyed_rows(
    session: Session, name: str, key: Column, columns: Sequence[str]
) -> Iterator[tuple[Any, list[Row]]]:
    """Yields every key with all its rows; rows without a key are left out.

    Args:
        session: Any session on the database.
        name: The table's name in SQL.
        key: The primary key in the catalog; its name is that of the column in this table.
        columns: Names of further columns.

    Raises:
        WarehouseError: The table cannot be read, or a key is not of the catalog's type.
    """
    # Both databases must sort alike. Bytes do not depend on a database's language.
    kind = "bigint" if key.type == "bigint" else "text"
    order = f'cast("{key.name}" as {kind})' + ("" if kind == "bigint" else ' collate "C"')
    listed = ", ".join([order, *(f'"{each}"' for each in columns)])
    source = name.replace("%", "%%")
    for after, last in pairwise([None, *_ends(session, name, order), None]):
        bounds = {f"{order} > %s": after, f"{order} <= %s": last}
        values = {sql: bound for sql, bound in bounds.items() if bound is not None}
        where = " and ".join(values) or f"{order} is not null"
        sql = f"select {listed} from {source if values else name} where {where}"  # noqa: S608
        rows = sorted(session.rows(sql, list(values.values())), key=itemgetter(0))
        for found, group in groupby(rows, key=itemgetter(0)):
            yield found, [row[1:] for row in group]


def _ends(session: Session, name: str, order: str) -> list[Any]:
    """Returns the last key of each page but the last one.

    Sorting keys alone is cheap; sorting whole rows for each page takes a gigabyte in DuckDB.
    """
    sql = (
        f"select found from (select {order} as found, "  # noqa: S608 - our own names
        f"row_number() over (order by {order}) as place from {name}) as numbered "
        f"where mod(place, {PAGE}) = 0 order by place"
    )
    keys = [found for (found,) in session.rows(sql) if found is not None]
    return list(dict.fromkeys(keys))
