"""The invariants of a history, at the level of its SQL: any order of loads, marks and switches."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from invoiced_pipeline.catalog import table as catalog_table
from invoiced_pipeline.warehouse.database import Database, Session
from invoiced_pipeline.warehouse.deletion_marks import Mark, Marks
from invoiced_pipeline.warehouse.history_views import HISTORY_COLUMNS, history_query
from invoiced_pipeline.warehouse.version_merge import KeptVersions, VersionMerge, version_sql
from invoiced_pipeline_tests.examples import examples

OF = catalog_table("invoices")
COLUMNS = ("id", "updated_at", "status", "_deleted_at")
KEY = ("id", "updated_at")
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)

Time = datetime | None
Key = tuple[int, Time]

_times = st.one_of(
    st.integers(0, 9).map(lambda hours: NOON + timedelta(hours=hours)),
    st.sampled_from([None, datetime(1, 1, 2, tzinfo=UTC), datetime(9998, 1, 1, tzinfo=UTC)]),
)
_ids = st.integers(1, 3)
_load = st.lists(st.tuples(_ids, _times), min_size=1, max_size=5)
_mark = st.tuples(_ids, st.integers(0, 12).map(lambda hours: NOON + timedelta(hours=hours)))
_steps = st.lists(
    st.one_of(_load, _load, _mark, st.sampled_from(["on", "off", "again"])),
    min_size=1,
    max_size=12,
)


@dataclass
class Store:
    """A table with its versions, and what they must hold.

    Attributes:
        session: Over the table, its versions and the view.
        keeps: Whether loads keep versions.
        begins: Whether the next load is the first that does.
        last: The last load, to be repeated.
        expected: The newest status of every version, by key.
        loads: How many there were; part of every status.
    """

    session: Session
    keeps: bool = False
    begins: bool = False
    last: list[Key] = field(default_factory=list)
    expected: dict[Key, str] = field(default_factory=dict)
    loads: int = 0

    def create(self) -> None:
        types = ("bigint", "timestamp with time zone", "text", "timestamp with time zone")
        declared = ", ".join(f"{name} {kind}" for name, kind in zip(COLUMNS, types, strict=True))
        for name in ("invoices", "loaded", OF.versions_name):
            self.session.run(f"create table {name} ({declared})")
        query = history_query(OF, [*COLUMNS, *HISTORY_COLUMNS])
        self.session.run(f"create view {OF.history_name} as {query}")

    def load(self, keys: list[Key]) -> None:
        """Merges some rows as a load does; of one key, the status is the same."""
        self.loads += 1
        self.last = keys
        self.session.run("delete from loaded")
        for record, time in keys:
            values = [record, time, self._status(record, time)]
            self.session.run("insert into loaded values (%s, %s, %s, null)", values)
        for sql in self._version_sql():
            self.session.run(sql)
        for sql in _merge_sql():
            self.session.run(sql)

    def _status(self, record: int, time: Time) -> str:
        return f"{self.loads} {record} {time}"

    def _version_sql(self) -> list[str]:
        if not self.keeps:
            return []
        if self.begins:
            held = self.session.rows("select id, updated_at, status from invoices")
            self.expected |= {(record, time): status for record, time, status in held}
        self.expected |= {(record, time): self._status(record, time) for record, time in self.last}
        kept = KeptVersions(OF.versions_name, COLUMNS, KEY, self.begins)
        self.begins = False
        newest = VersionMerge.gen_select_from_dedup_sql
        return version_sql(kept, rows="invoices", loaded="loaded", newest=newest)

    def step(self, step: Any) -> None:
        if isinstance(step, list):
            self.load(step)
        elif isinstance(step, tuple):
            mark = Mark("invoices", "id", step[0], step[1], is_certain=True)
            Marks(_Opened(self.session), "history").apply([mark])  # type: ignore[arg-type]
        elif step == "again":
            if self.last:
                self.load(self.last)
        elif self.keeps != (step == "on"):
            self.keeps = self.begins = step == "on"

    def judge(self) -> None:
        listed = "id, updated_at, status, _deleted_at, valid_from, valid_to, is_current"
        rows = self.session.rows(
            f"select {listed} from {OF.history_name} order by id, valid_from nulls first"
        )
        keys = [row[:2] for row in rows]
        assert len(keys) == len(set(keys))
        assert {row[:2]: row[2] for row in rows} == self.expected
        for _, updated_at, _, deleted_at, valid_from, valid_to, is_current in rows:
            assert valid_from == updated_at
            assert is_current == (valid_to is None)
            assert not (is_current and deleted_at)
            assert valid_to is None or valid_from is None or valid_from <= valid_to
        for one, other in pairwise(rows):
            if one[0] != other[0]:
                continue
            assert one[5] is not None
            assert one[5] == other[4] or (one[5] == one[3] and one[5] < other[4])
        if self.keeps and not self.begins:
            self._judge_the_present(rows)

    def _judge_the_present(self, rows: list[tuple[Any, ...]]) -> None:
        """The newest version of a record that exists is its row, unless an older one came last."""
        newest = {row[0]: row for row in rows}
        for record, time, deleted_at in self.session.rows(
            "select id, updated_at, _deleted_at from invoices"
        ):
            if newest[record][1] == time:
                assert newest[record][6] == (deleted_at is None)


class _Opened:
    """A database whose session is already open."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def exists(self) -> bool:
        return True

    @contextmanager
    def session(self, _dataset: str) -> Iterator[Session]:
        yield self._session


def _merge_sql() -> list[str]:
    """The merge of the table itself: the newest loaded row of each id replaces its row."""
    newest = VersionMerge.gen_select_from_dedup_sql(
        "loaded", ["id"], COLUMNS, ("updated_at", "desc")
    )
    return [
        "delete from invoices where id in (select id from loaded)",
        f"insert into invoices {newest}",
    ]


def check(database: Database, steps: list[Any]) -> None:
    """Takes the steps, and judges after each; nothing is left of them."""
    with database.session("history") as session, suppressed_commit(session):
        store = Store(session)
        store.create()
        for step in steps:
            store.step(step)
            store.judge()


@contextmanager
def suppressed_commit(session: Session) -> Iterator[None]:
    """Everything inside is undone in the end; transactions inside are part of it."""

    @contextmanager
    def inside() -> Iterator[None]:
        yield

    outer, session.transaction = session.transaction, inside  # type: ignore[method-assign]
    try:
        with outer():
            yield
            raise _UndoneError
    except _UndoneError:
        pass


class _UndoneError(Exception):
    pass


@pytest.mark.everywhere
@settings(
    max_examples=examples(25, brief=10), suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=_steps)
def test_versions_neither_overlap_nor_get_lost(database: Database, steps: list[Any]) -> None:
    check(database, ["on", *steps])


@pytest.mark.everywhere
def test_a_record_without_a_time_is_never_the_newest(database: Database) -> None:
    """PostgreSQL sorts NULL first where it sorts downwards."""
    both = [(1, None), (1, NOON)]
    for keys in (both, both[::-1]):
        with database.session("history") as session, suppressed_commit(session):
            store = Store(session)
            store.create()
            store.load(list(keys))
            assert session.rows("select updated_at from invoices") == [(NOON,)]
