"""The rows of a table in the order of its key, page by page: a large table fits in memory."""

from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import itemgetter
from typing import Any

from invoiced_pipeline.catalog import Column
from invoiced_pipeline.warehouse.database import Session

PAGE = 10_000

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
    last = None
    while True:
        where = f'"{key.name}" is not null' if last is None else f"{order} > %s"
        values, source = ([], name) if last is None else ([last], name.replace("%", "%%"))
        sql = f"select {listed} from {source} where {where} order by 1 limit {PAGE}"  # noqa: S608
        rows = session.rows(sql, values)
        groups = [(found, list(group)) for found, group in groupby(rows, key=itemgetter(0))]
        if len(rows) == PAGE and len(groups) > 1:
            groups.pop()  # it may continue on the next page
        for found, group in groups:
            yield found, [row[1:] for row in group]
        if len(rows) < PAGE:
            return
        last = groups[-1][0]
