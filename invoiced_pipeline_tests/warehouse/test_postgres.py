"""PostgreSQL only: messages about unsuitable servers, and parallel writers."""

import itertools
import json
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from invoiced_emulator.server import Emulator
from invoiced_pipeline.exceptions import (
    ConfigurationError,
    WarehouseError,
    WarehouseNotWritableError,
)
from invoiced_pipeline.settings import WarehouseSettings
from invoiced_pipeline.settings.postgres import fields_of
from invoiced_pipeline.warehouse.database import LockState
from invoiced_pipeline.warehouse.open import open_database
from invoiced_pipeline.warehouse.postgres import destination
from invoiced_pipeline.warehouse.postgres import server as postgres_server
from invoiced_pipeline.warehouse.postgres.database import PostgresDatabase
from invoiced_pipeline_tests.conftest import NOW, Replica, customer, invoice, items
from invoiced_pipeline_tests.front_door import wait_until
from invoiced_pipeline_tests.lock_holder import holding
from invoiced_pipeline_tests.postgres_server import administrator, new_database


@pytest.fixture
def url(postgres_url: str) -> Iterator[str]:
    with new_database(postgres_url) as url:
        yield url


@pytest.fixture
def server(url: str, tmp_path: Path) -> PostgresDatabase:
    return PostgresDatabase(SecretStr(url), tmp_path)


def test_the_settings_open_it(url: str, tmp_path: Path) -> None:
    settings = WarehouseSettings.model_validate(
        {"destination": "postgres", "credentials": SecretStr(url), "path": tmp_path / "x.duckdb"}
    )
    database = open_database(settings)
    assert database.kind == "postgres"
    assert database.beside("dlt") == tmp_path / "postgres.dlt"
    assert urlsplit(url).path in database.label
    assert (urlsplit(url).password or "-") not in f"{database.label} {settings!r}"
    database.check_writable()


def test_a_server_that_asks_no_password_is_loaded_without_one(
    url: str, tmp_path: Path, emulator: Emulator
) -> None:
    emulator.store.put("customers", customer(1, NOW - 5000))
    settings = WarehouseSettings.model_validate(
        {
            "destination": "postgres",
            "path": tmp_path / "x.duckdb",
            "credentials": {**fields_of(url), "password": None},
        }
    )
    database = open_database(settings)
    database.check_writable()
    replica = Replica(emulator.url, emulator.api_key, database)
    replica.ok("customers")
    assert replica.ids("customers") == [1]
    assert database.select("invoiced", "select id from customers").rows == [(1,)]


def test_asking_leaves_nothing_behind(server: PostgresDatabase) -> None:
    sql = "select count(*) from pg_namespace where nspname !~ '^pg_'"
    with server.session("public", read_only=True) as session:
        before = session.rows(sql)
    server.check_writable()
    assert server.current_holder("invoiced") is None
    with server.session("public", read_only=True) as session:
        assert session.rows(sql) == before


def test_the_lock_names_who_died_with_it_and_who_is_connected(server: PostgresDatabase) -> None:
    assert server.lock_state("sales") == LockState(connected=frozenset())
    with holding(server, "first") as process:
        state = server.lock_state("sales")
        assert state.holder is not None
        assert (state.holder.run_id, state.dead) == ("first", None)
        assert state.connected == {"first"}
        process.kill()
        wait_until(lambda: not server.lock_state("sales").connected, "the session's end")
    state = server.lock_state("sales")
    assert state.holder is None
    assert state.dead is not None
    assert state.dead.run_id == "first"
    with server.writer_lock("sales", "second"):
        assert server.lock_state("sales").dead is None
    assert server.lock_state("sales") == LockState(connected=frozenset())


@pytest.mark.parametrize("news", [True, False], ids=["rows", "nothing new"])
def test_a_run_that_lost_the_lock_loads_nothing(
    emulator: Emulator, server: PostgresDatabase, url: str, *, news: bool
) -> None:
    replica = Replica(emulator.url, emulator.api_key, server)
    replica.ok("customers")
    log = "select * from _dlt_pipeline_state order by _dlt_load_id"
    before = replica.query(log)
    if news:
        emulator.store.put("customers", customer(1, emulator.clock.advance(86_400) - 50))
    lost = pytest.raises(WarehouseError, match=r"closed the connection that held .* of invoiced")
    with server.writer_lock("invoiced", "run"):
        with administrator(url) as cursor:
            cursor.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where application_name = 'invoiced_pipeline run run'"
            )
        with lost:
            replica("customers")
    assert replica.query("select count(*) from customers") == [(0,)]
    assert replica.query(log) == before
    with server.writer_lock("invoiced", "next"):
        replica.ok("customers")
    assert replica.ids("customers") == ([1] if news else [])


def test_missing_server_setting_is_reported(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="set INVOICED_POSTGRES_URL to postgresql://"):
        PostgresDatabase(None, tmp_path).check_writable()


def test_a_server_that_does_not_answer_is_reported(server: PostgresDatabase, url: str) -> None:
    gone = PostgresDatabase(SecretStr(url.replace("/test_", "/gone_")), Path())
    for ask in (
        gone.check_writable,
        lambda: gone.current_holder("invoiced"),
        lambda: gone.writer_lock("invoiced", "run").__enter__(),
    ):
        with pytest.raises(
            WarehouseNotWritableError, match=r"Cannot reach PostgreSQL .*gone_"
        ) as caught:
            ask()
        assert (urlsplit(url).password or "-") not in str(caught.value)


def test_a_user_who_may_not_create_schemas_learns_the_remedy(
    server: PostgresDatabase, url: str, postgres_url: str
) -> None:
    name = urlsplit(url).path.strip("/")
    with administrator(url) as cursor:
        cursor.execute("create role reader_only login")
    try:
        user = SecretStr(url.replace("//postgres:", "//reader_only:"))
        with pytest.raises(
            WarehouseNotWritableError, match=f"grant create on database {name} to reader_only"
        ):
            PostgresDatabase(user, Path()).check_writable()
        with administrator(url) as cursor:
            cursor.execute(f"grant create on database {name} to reader_only")
        PostgresDatabase(user, Path()).check_writable()
    finally:
        with administrator(url) as cursor:
            cursor.execute("drop owned by reader_only; drop role reader_only")


def test_a_database_with_another_encoding_is_refused(postgres_url: str) -> None:
    with (
        new_database(postgres_url, encoding="SQL_ASCII") as url,
        pytest.raises(WarehouseNotWritableError, match="its encoding is SQL_ASCII"),
    ):
        PostgresDatabase(SecretStr(url), Path()).check_writable()


def test_merges_have_an_index(emulator: Emulator, server: PostgresDatabase) -> None:
    emulator.store.put("invoices", invoice(1, items=items(2)))
    Replica(emulator.url, emulator.api_key, server).ok("invoices")
    with server.session("invoiced", read_only=True) as session:
        found = session.rows(
            "select tablename, indexdef from pg_indexes where schemaname = 'invoiced'"
        )
        staged = session.rows("select count(*) from pg_indexes where schemaname like '%%_staging'")
    keys = {table: text.split("btree ")[1] for table, text in found}
    assert keys["invoices"] == "(id)"
    assert keys["invoices__items"] == "(invoice_id)"
    assert staged == [(0,)]


_TEXTS = ("", None, '"', '""', ",", "\\.", "\\N", "a\r\nb", "\n\\.\n", " ", "NULL", "€\t'", "\\\\")
_YEAR_ONE = -62_135_596_800


@pytest.mark.parametrize(
    ("most_csv_rows", "first"),
    [
        pytest.param(0, _YEAR_ONE - 1, id="adbc"),
        pytest.param(10_000, _YEAR_ONE, id="csv"),
        pytest.param(10_000, _YEAR_ONE - 1, id="before year 1"),
    ],
)
def test_values_are_copied_as_they_are(
    emulator: Emulator,
    server: PostgresDatabase,
    monkeypatch: pytest.MonkeyPatch,
    most_csv_rows: int,
    first: int,
) -> None:
    monkeypatch.setattr(destination, "MOST_CSV_ROWS", most_csv_rows)
    others = zip(
        itertools.cycle([first, 0, 1, -1, 253_402_300_799, None]),
        itertools.cycle([0.0, -1e-10, 12_345_678_901.25, 0.1, None]),
        itertools.cycle([{}, [], [""], {'"': "\\", "\n": ['""', None, 1.1]}, None]),
    )
    sent = [
        {**invoice(n), "notes": text, "due_date": due, "balance": balance, "metadata": metadata}
        for n, (text, (due, balance, metadata)) in enumerate(zip(_TEXTS, others, strict=False), 1)
    ]
    emulator.store.put_many("invoices", sent)
    Replica(emulator.url, emulator.api_key, server).ok("invoices")
    with server.session("invoiced", read_only=True) as session:
        stored = session.rows(
            "select notes, extract(epoch from due_date)::bigint, balance::float, metadata::text "
            "from invoices order by id"
        )
    found = [(*plain, document and json.loads(document)) for *plain, document in stored]
    keys = ("notes", "due_date", "balance", "metadata")
    assert found == [tuple(each[key] for key in keys) for each in sent]


@pytest.mark.slow
def test_two_datasets_written_at_once_do_not_meet(
    emulator: Emulator, server: PostgresDatabase
) -> None:
    emulator.store.put_many("customers", [customer(n, NOW - 5000) for n in range(1, 301)])
    emulator.store.put_many(
        "invoices", [invoice(n, NOW - 5000, items=items(3)) for n in range(300)]
    )
    failures: list[BaseException] = []
    both = threading.Barrier(2)

    def replicate(name: str) -> Callable[[], None]:
        replica = Replica(emulator.url, emulator.api_key, server, dataset=name)

        def run() -> None:
            try:
                both.wait(60)
                with server.writer_lock(name, f"run of {name}"):
                    replica.ok("customers", "invoices", connection=name)
            except BaseException as error:  # noqa: BLE001 - the test asserts it
                failures.append(error)

        return run

    threads = [threading.Thread(target=replicate(name)) for name in ("europe", "america")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
    for name in ("europe", "america"):
        with server.session(name, read_only=True) as session:
            counts = [
                session.rows(f"select count(*) from {table}")
                for table in ("customers", "invoices", "invoices__items")
            ]
        assert counts == [[(300,)], [(300,)], [(900,)]]


def test_a_load_that_the_server_aborts_is_one_error(
    emulator: Emulator, server: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator.store.put("customers", customer(1, NOW - 5000))
    replica = Replica(emulator.url, emulator.api_key, server)
    replica.ok("customers")
    with server.session("invoiced") as session:
        session.run("alter table customers add constraint odd check (id < 2)")
    emulator.store.put("customers", customer(2, emulator.clock.advance(86_400) - 50))
    with pytest.raises(WarehouseError, match=r"The load into PostgreSQL .* failed"):
        replica("customers")
    assert replica.ids("customers") == [1]
    with server.session("invoiced") as session:
        session.run("alter table customers drop constraint odd")
    replica.ok("customers")
    assert replica.ids("customers") == [1, 2]


def test_a_rewrite_does_not_wait_forever_for_a_reader(
    server: PostgresDatabase, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_server, "REWRITE_LOCK_TIMEOUT", "10ms")
    with server.session("sales") as session:
        session.run("create table numbers (number bigint)")
    server.rewrite("sales")
    with administrator(url) as reader:
        reader.execute("begin; select * from sales.numbers")
        with pytest.raises(WarehouseError, match=r"sales\.numbers could not be rewritten.*lock"):
            server.rewrite("sales")
