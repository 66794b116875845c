"""The columns by which a sync finds rows, besides the keys of its merges.

A server needs an index on each, because otherwise every sync would read whole tables.
"""

from collections.abc import Iterable, Iterator

from invoiced_pipeline.catalog import Table

LOAD_ID = "_dlt_load_id"
DELETED_AT = "_deleted_at"


def looked_up_columns(tables: Iterable[Table]) -> Iterator[tuple[str, str]]:
    """Yields table and column, once each; the tables need not exist.

    Checks find the rows of the last loads, those of a window, and what changes a balance. Deletions
    find the transactions of payments.
    """
    for table in tables:
        names = [table.name, *map(table.child_name, table.children)]
        yield from ((name, LOAD_ID) for name in names)
        yield table.name, table.replication_key
        yield table.name, DELETED_AT
        yield from (
            (table.name, key.column)
            for key in table.foreign_keys
            if key.cascades and key.table == "payments"
        )
        keys = {table.primary_key, table.parent_column}
        for applied in table.balance.applied if table.balance else ():
            if applied.key not in keys:
                yield applied.table, applied.key
