"""Records of the replica that a write-back's rows refer to or change."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from invoiced_pipeline.catalog import table
from invoiced_pipeline.catalog.operations import Field
from invoiced_pipeline.warehouse.database import Database, Session
from invoiced_pipeline.writeback.validation.record_numbers import normal_number

_CHUNK = 1_000
"""Values in one statement."""

Wanted = Mapping[str, set[Any]]
"""Ids by table."""


class Replica:
    """Records of the replica, read once.

    Attributes:
        tables: The replicated tables.
    """

    def __init__(
        self,
        tables: Iterable[str] = (),
        records: Mapping[str, Mapping[str, Any]] | None = None,
        holders: Mapping[str, Sequence[Mapping[str, Any]]] | None = None,
    ) -> None:
        self.tables = frozenset(tables)
        self._records = records or {}
        self._holders = holders or {}

    def record(self, name: str, record_id: Any) -> Mapping[str, Any] | None:
        """A record by its id, with the table's columns; None if there is none.

        A deleted record is returned with its `_deleted_at`.
        """
        return self._records.get(name, {}).get(str(record_id))

    def holders(self, number: str) -> Sequence[Mapping[str, Any]]:
        """The records with a number (of `normal_number`), without deleted ones."""
        return self._holders.get(number, ())


@dataclass(frozen=True, slots=True)
class Numbers:
    """Numbers of new records (of `normal_number`), to look up the records that have them.

    Attributes:
        table: The table to look in.
        column: The column that holds them.
        values: The numbers.
    """

    table: str
    column: str
    values: frozenset[str]


def read_replica(
    database: Database, dataset: str, wanted: Wanted, numbers: Numbers | None = None
) -> Replica:
    """Reads records by id and by number in one short session.

    Raises:
        WarehouseError: The warehouse cannot be read.
    """
    if not database.exists():
        return Replica()
    with database.session(dataset, read_only=True) as session:
        # Only tables of the replica have this column; a user may have others of the same name.
        tables = session.tables(with_column="_deleted_at")
        records = {
            name: _records(session, name, ids) for name, ids in wanted.items() if name in tables
        }
        holders = _holders(session, numbers) if numbers and numbers.table in tables else {}
    return Replica(tables, records, holders)


def wanted_ids(
    fields: Iterable[Field], values: Mapping[str, Any], into: defaultdict[str, set[Any]]
) -> None:
    """Adds the ids in a body or in a path's parameters to `into`, by table."""
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
    columns = _read_columns(session, name)
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


def _holders(session: Session, numbers: Numbers) -> dict[str, list[Mapping[str, Any]]]:
    """Records by number. SQL selects roughly, then Python compares as the API does."""
    columns = _read_columns(session, numbers.table)
    found: dict[str, list[Mapping[str, Any]]] = {}
    if numbers.column not in columns:  # excluded
        return found
    names = ", ".join(f'"{column}"' for column in columns)
    for some in _chunks(sorted(numbers.values)):
        places = ", ".join(["%s"] * len(some))
        sql = (
            f'select {names} from "{numbers.table}" '  # noqa: S608 - our own names
            f'where _deleted_at is null and lower(trim("{numbers.column}")) in ({places})'
        )
        for row in session.rows(sql, some):
            record = dict(zip(columns, row, strict=True))
            number = normal_number(record[numbers.column])
            if number is not None:
                found.setdefault(number, []).append(record)
    return found


def _read_columns(session: Session, name: str) -> list[str]:
    """The table's columns that the catalog declares, and `_deleted_at`."""
    there = session.columns(name)
    return [column.name for column in table(name).columns if column.name in there] + ["_deleted_at"]


def _chunks(values: Sequence[Any]) -> Iterable[Sequence[Any]]:
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
