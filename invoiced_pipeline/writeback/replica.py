"""The replica as the baseline: the records that a write-back's rows name or change."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from invoiced_pipeline.catalog import table
from invoiced_pipeline.catalog.operations import Field
from invoiced_pipeline.warehouse.database import Database, Session

_CHUNK = 1_000
"""Values in one statement."""

Wanted = Mapping[str, set[Any]]
"""Ids by table."""


class Replica:
    """Records of the replica, read once.

    Attributes:
        tables: The tables that are replicated at all.
    """

    def __init__(
        self, tables: Iterable[str] = (), records: Mapping[str, Mapping[str, Any]] | None = None
    ) -> None:
        self.tables = frozenset(tables)
        self._records = records or {}

    def record(self, name: str, record_id: Any) -> Mapping[str, Any] | None:
        """A record by its id, with the columns that the table has; None where there is none.

        A record that is gone is there, with its `_deleted_at`.
        """
        return self._records.get(name, {}).get(str(record_id))


def read_replica(database: Database, dataset: str, wanted: Wanted) -> Replica:
    """Reads the wanted records in one short session.

    Raises:
        WarehouseError: The warehouse cannot be read.
    """
    if not database.exists():
        return Replica()
    with database.session(dataset, read_only=True) as session:
        # Tables that dlt loads have this column; others of the same name are not the replica's.
        tables = session.tables(with_column="_deleted_at")
        records = {
            name: _records(session, name, ids) for name, ids in wanted.items() if name in tables
        }
    return Replica(tables, records)


def wanted_ids(
    fields: Iterable[Field], values: Mapping[str, Any], into: defaultdict[str, set[Any]]
) -> None:
    """Adds the ids that a body or a path's parameters name, by table."""
    for field in fields:
        value = values.get(field.name)
        if field.refers_to is not None and _is_id(value):
            into[field.refers_to].add(value)
        for item in value if isinstance(value, list) else [value]:
            if field.elements and isinstance(item, dict):
                wanted_ids(field.elements, item, into)


def _is_id(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def _records(session: Session, name: str, ids: set[Any]) -> dict[str, Mapping[str, Any]]:
    of = table(name)
    there = _columns(session, name)
    columns = [column.name for column in of.columns if column.name in there] + ["_deleted_at"]
    names = ", ".join(f'"{column}"' for column in columns)
    is_number = of.column(of.primary_key).type == "bigint"
    fitting = [each for each in ids if isinstance(each, int) or not is_number]
    found: dict[str, Mapping[str, Any]] = {}
    for some in _chunks([each if is_number else str(each) for each in fitting]):
        places = ", ".join(["%s"] * len(some))
        sql = f'select {names} from "{name}" where "{of.primary_key}" in ({places})'  # noqa: S608
        for row in session.rows(sql, some):
            record = dict(zip(columns, row, strict=True))
            found[str(record[of.primary_key])] = record
    return found


def _columns(session: Session, name: str) -> set[str]:
    sql = (
        "select column_name from information_schema.columns "
        "where table_schema = %s and table_name = %s"
    )
    return {column for (column,) in session.rows(sql, [session.dataset, name])}


def _chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
