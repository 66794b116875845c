"""What the last checks of each table found, in the dataset: later checks look at changes only.

A check that looked at all rows up to a load need only look at those of later loads, and again at
the records that failed, or that something else than a load has changed since.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from invoiced_pipeline.warehouse.database import Database, Session
from invoiced_pipeline.warehouse.table_layout import TableLayout

NAME = "_table_checks"

MOST_DUE = 1_000
"""Most records that one check remembers; with more, the next check reads the whole table."""

RecordId = int | str

_NEVER = datetime(1970, 1, 1, tzinfo=UTC)


class CheckMemory(msgspec.Struct, kw_only=True):
    """The last result of one check.

    Attributes:
        passed: Whether nothing was wrong.
        text: What was found.
        is_error: Whether a failure means that the replica is wrong.
        counts: The figures behind it.
        due: Records to look at again, because they failed or could not be judged yet; None if there
            are too many to remember.
        basis: What the result depends on besides the rows; if it differs, all rows are checked.
        bounds: Least and greatest id of each parent table, by the column that refers to it.
    """

    passed: bool
    text: str
    is_error: bool = False
    counts: dict[str, int] = {}
    due: list[RecordId] | None = []
    basis: str = ""
    bounds: dict[str, tuple[int | None, int | None]] = {}


class TableMemory(msgspec.Struct, kw_only=True):
    """What is known of one table.

    Attributes:
        table: Its name.
        through: The last load (dlt's id) whose rows were checked; empty if there was none.
        rows: Its rows after that load; None if they must be counted again.
        partitions: Its rows by partition, as they were last recorded; None if they never were.
        checks: The last results.
        passed: Whether no check of the table failed.
        whole_at: When all of its rows were last checked (UTC).
    """

    table: str
    through: str = ""
    rows: int | None = None
    partitions: dict[str, int] | None = None
    checks: dict[str, CheckMemory] = {}
    passed: bool
    whole_at: datetime


def read_memories(session: Session) -> dict[str, TableMemory]:
    """Returns what is known of a dataset's tables, by table."""
    if NAME not in session.tables():
        return {}
    return {each.table: each for each in _read(session, "")}


def create_memories(session: Session) -> None:
    """Creates the table of what is known, if it does not exist."""
    if NAME not in session.tables():
        _LAYOUT.create(session)


def write_memories(database: Database, dataset: str, memories: Iterable[TableMemory]) -> None:
    """Replaces what is known of some tables; the caller holds the writer's lock.

    Raises:
        WarehouseError: The warehouse cannot be written.
    """
    with database.session(dataset) as session, session.transaction():
        create_memories(session)
        _LAYOUT.upsert(session, [_row(each) for each in memories])


def check_whole_next(session: Session, tables: Collection[str]) -> None:
    """Makes the next checks of some tables look at all rows."""
    if tables and NAME in session.tables():
        places = ", ".join(["%s"] * len(tables))
        sql = f"update {NAME} set whole_at = %s where table_name in ({places})"  # noqa: S608
        session.run(sql, [_NEVER, *tables])


def note_failed(session: Session, tables: Collection[str]) -> None:
    """Notes that checks of some tables failed in a run that did not load them."""
    if tables and NAME in session.tables():
        places = ", ".join(["%s"] * len(tables))
        sql = f"update {NAME} set passed = false where table_name in ({places})"  # noqa: S608
        session.run(sql, list(tables))


def forget_counts(session: Session, table: str) -> None:
    """Notes that rows of a table were removed: its rows are counted again."""
    if NAME in session.tables():
        session.run(f'update {NAME} set "rows" = null where table_name = %s', [table])  # noqa: S608


def note_due(session: Session, table: str, check: str, ids: Sequence[RecordId]) -> None:
    """Makes the next evaluation of a check look at some records, which no load has changed."""
    if not ids or NAME not in session.tables():
        return
    for memory in _read(session, "where table_name = %s", [table]):
        known = memory.checks.get(check)
        if known is None or known.due is None:
            return  # it reads all rows anyway
        known.due = limited([*known.due, *ids])
        _LAYOUT.upsert(session, [_row(memory)])


def limited(ids: Iterable[RecordId]) -> list[RecordId] | None:
    """Returns the ids once each; None if there are too many to remember."""
    found = list(dict.fromkeys(ids))
    return found if len(found) <= MOST_DUE else None


def loads_after(session: Session, load: str) -> list[str]:
    """Returns the ids of the complete loads after one; an id begins with its time."""
    if "_dlt_loads" not in session.tables():
        return []
    sql = "select load_id from _dlt_loads where load_id > %s order by load_id"
    return [load_id for (load_id,) in session.rows(sql, [load])]


def _read(session: Session, where: str, values: Sequence[Any] = ()) -> list[TableMemory]:
    sql = f"select {_LAYOUT.columns} from {NAME} {where}"  # noqa: S608 - our own names
    return [
        TableMemory(
            table=table,
            through=through,
            rows=rows,
            partitions=None if partitions is None else _partitions.decode(partitions),
            checks=_checks.decode(checks),
            passed=passed,
            whole_at=whole_at.astimezone(UTC),
        )
        for table, through, rows, partitions, checks, passed, whole_at in session.rows(sql, values)
    ]


def _row(memory: TableMemory) -> list[Any]:
    return [
        memory.table,
        memory.through,
        memory.rows,
        None if memory.partitions is None else _text(memory.partitions),
        _text(memory.checks),
        memory.passed,
        memory.whole_at,
    ]


def _text(value: Mapping[str, Any]) -> str:
    return msgspec.json.encode(value).decode()


_partitions = msgspec.json.Decoder(dict[str, int])
_checks = msgspec.json.Decoder(dict[str, CheckMemory])
_LAYOUT = TableLayout(
    name=NAME,
    types={
        "table_name": "text",
        "through": "text",
        "rows": "bigint",
        "partitions": "text",
        "checks": "text",
        "passed": "boolean",
        "whole_at": "timestamp with time zone",
    },
    key=("table_name",),
)
