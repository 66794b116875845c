"""What all warehouses do alike: sessions, transactions, users' queries, the writer's lock."""

import logging
import os
import signal
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from invoiced_pipeline.exceptions import WarehouseBusyError, WarehouseError
from invoiced_pipeline.warehouse.database import Database, Session
from invoiced_pipeline.warehouse.dataset import row_counts
from invoiced_pipeline_tests.lock_holder import LOCKS, EndsHolder, holding

pytestmark = pytest.mark.everywhere

MOMENT = datetime(2026, 11, 25, 12, 30, 15, 123456, tzinfo=UTC)
VALUES = [7, "", "it's 100 % \\ \n 🧾", Decimal("1234567890123456789012345678.0123456789"), MOMENT]
COLUMNS = "id bigint, empty text, note text, amount decimal(38,10), moment timestamp with time zone"


def test_values_come_back_as_they_went(database: Database) -> None:
    with database.session("sales") as session:
        session.run(f"create table kept ({COLUMNS}, flag boolean, nothing text)")
        places = ", ".join(["%s"] * 7)
        session.run(f"insert into kept values ({places})", [*VALUES, True, None])
        ((*found, flag, nothing),) = session.rows("select * from kept where amount > %s", [1])
    assert found == VALUES
    assert (flag, nothing) == (True, None)
    assert found[-1].utcoffset() is not None
    assert not found[-1].utcoffset()


def test_percent_signs_count_only_beside_values(database: Database) -> None:
    with database.session("sales") as session:
        assert session.rows("select 'a' like '%a%'") == [(True,)]
        assert session.rows("select 'a' like %s, 'b' like '%%b'", ["%a"]) == [(True, True)]


def test_names_mean_the_dataset_s_own_tables(database: Database) -> None:
    for dataset, number in (("sales", 1), ("support", 2)):
        with database.session(dataset) as session:
            session.run("create table numbers (number bigint)")
            session.run("insert into numbers values (%s)", [number])
    for dataset, number in (("sales", 1), ("support", 2)):
        with database.session(dataset, read_only=True) as session:
            assert session.rows("select number from numbers") == [(number,)]
            assert session.tables() - {"_writer"} == {"numbers"}
            assert session.tables(with_column="number") == {"numbers"}
            assert not session.tables(with_column="id")
    assert row_counts(database, "sales", ["numbers", "none"]) == {"numbers": 1, "none": 0}


def test_a_dataset_that_is_not_there_has_no_tables(database: Database) -> None:
    with database.session("sales") as session:
        session.run("create table numbers (number bigint)")
    with database.session("other", read_only=True) as session:
        assert session.tables() == frozenset()
    assert row_counts(database, "other", ["numbers"]) == {"numbers": 0}


def test_reading_changes_nothing(database: Database) -> None:
    with database.session("sales") as session:
        session.run("create table numbers (number bigint)")
    with (
        database.session("sales", read_only=True) as session,
        pytest.raises(WarehouseError, match="read-only"),
    ):
        session.run("insert into numbers values (1)")


def test_a_transaction_is_all_or_nothing(database: Database) -> None:
    with database.session("sales") as session:
        session.run("create table numbers (number bigint)")
        with session.transaction():
            session.run("insert into numbers values (1)")
        with pytest.raises(WarehouseError):
            _insert_two(session, "insert into nowhere values (3)")
        with pytest.raises(KeyboardInterrupt):
            _insert_two(session, None)
        assert session.rows("select number from numbers") == [(1,)]


def _insert_two(session: Session, second: str | None) -> None:
    with session.transaction():
        session.run("insert into numbers values (2)")
        if second is None:
            raise KeyboardInterrupt
        session.run(second)


def test_a_user_s_query_reads(database: Database) -> None:
    with database.session("sales") as session:
        session.run("create table numbers (number bigint, extra json)")
        session.run("insert into numbers values (1, '{\"a\": 1.50}')")
    found = database.select("sales", "select number, extra, 1.50 as price from numbers")
    assert found.columns == ("number", "extra", "price")
    assert found.json_columns == {"extra"}
    assert found.rows == [(1, '{"a": 1.50}', Decimal("1.50"))]


@pytest.mark.parametrize(
    "query",
    [
        "delete from numbers",
        "select 1; delete from numbers",
        "select 1; commit; delete from numbers",
        "begin read write; delete from numbers; commit",
        "with gone as (delete from numbers returning number) select * from gone",
        "create table more (id bigint)",
        "select nothing from nowhere",
        "",
    ],
)
def test_a_user_s_query_changes_nothing(database: Database, query: str) -> None:
    with database.session("sales") as session:
        session.run("create table numbers (number bigint)")
        session.run("insert into numbers values (1)")
    with pytest.raises(WarehouseError):
        database.select("sales", query)
    assert row_counts(database, "sales", ["numbers", "more"]) == {"numbers": 1, "more": 0}


def test_the_lock_names_its_holder(database: Database) -> None:
    assert database.current_holder("sales") is None
    with database.writer_lock("sales", "run-1") as dead:
        assert dead is None
        holder = database.current_holder("sales")
        assert holder is not None
        assert (holder.run_id, holder.pid) == ("run-1", os.getpid())
        for _ in range(2):  # asking does not take the lock
            with (
                pytest.raises(
                    WarehouseBusyError, match="another run writes this warehouse"
                ) as caught,
                database.writer_lock("sales", "run-2"),
            ):
                pass
            assert f"run run-1 (pid {os.getpid()}, since " in str(caught.value)
    assert database.current_holder("sales") is None
    with pytest.raises(KeyboardInterrupt), database.writer_lock("sales", "run-3"):
        raise KeyboardInterrupt
    with database.writer_lock("sales", "run-4") as dead:
        assert dead is None


@pytest.mark.slow
def test_the_lock_ends_with_its_process(database: Database) -> None:
    with holding(database, "run-1") as process:
        holder = database.current_holder("sales")
        assert holder is not None
        assert (holder.run_id, holder.pid) == ("run-1", process.pid)
        with pytest.raises(WarehouseBusyError), database.writer_lock("sales", "run-0"):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        # The server notices the end a moment later, so the next run waits.
        with database.writer_lock("sales", "run-2", wait=True) as dead:
            assert dead is not None
            assert (dead.run_id, dead.pid) == ("run-1", process.pid)
            mine = database.current_holder("sales")
            assert mine is not None
            assert (mine.run_id, mine.pid) == ("run-2", os.getpid())
    with database.writer_lock("sales", "run-3") as dead:
        assert dead is None


@pytest.mark.slow
def test_waiting_ends_with_the_holder(
    database: Database, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    with holding(database, "run-1") as process:
        # It is released only after the other has logged that it waits.
        log = logging.getLogger(LOCKS[database.kind])
        monkeypatch.setattr(log, "handlers", [EndsHolder(process)])
        with database.writer_lock("sales", "run-2", wait=True) as dead:
            assert dead is None
            assert process.poll() == 0
    assert "Waiting: another run writes this warehouse: run run-1" in caplog.text


def test_a_person_s_query_reads_the_dataset_and_cannot_change_it(database: Database) -> None:
    with database.session("sales") as session:
        session.run(f"create table kept ({COLUMNS}, record json)")
        session.run("insert into kept (id, amount, record) values (1, 2.5, '{\"a\": 1}')")
    with database.query("sales", "select id, amount, record from kept -- 100 %s") as result:
        assert (result.columns, result.json_columns) == (("id", "amount", "record"), {2})
        assert list(result.rows) == [(1, Decimal("2.5"), '{"a": 1}')]
    with database.query("sales", "explain select * from kept") as result:
        assert list(result.rows)
    for refused in ("delete from kept", "insert into kept (id) values (2)", "selct 1"):
        with pytest.raises(WarehouseError), database.query("sales", refused) as result:
            list(result.rows)
    with database.session("sales", read_only=True) as session:
        assert session.rows("select count(*) from kept") == [(1,)]
