"""Runs with a PostgreSQL server as the warehouse."""

from urllib.parse import urlsplit

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.open import open_database
from invoiced_pipeline_tests.conftest import customer, invoice, items
from invoiced_pipeline_tests.defs.conftest import Service


@pytest.fixture
def on_server(server: Service) -> Database:
    return open_database(server.settings().warehouse)


def fill(account: Emulator) -> None:
    now = account.clock.now()
    account.store.put_many("customers", [customer(n, now - 4000) for n in (1, 2, 3)])
    account.store.put_many(
        "invoices",
        [
            invoice(n, now - 4000, customer=n, created_at=now - 4000, items=items(2), balance=100)
            for n in (1, 2)
        ],
    )


def test_a_sync_with_its_log_its_checks_and_its_sweep(
    server: Service, account: Emulator, on_server: Database
) -> None:
    fill(account)
    result = server.sync("customers", "invoices")
    assert result.error is None, result.error
    assert result.tables["invoices"]["dagster/row_count"] == 2
    with on_server.session("invoiced", read_only=True) as session:
        assert session.rows("select count(*) from invoices__items") == [(4,)]
        log = session.rows('select table_name, status, "rows" from _sync_log order by table_name')
        assert log == [("customers", "succeeded", 3), ("invoices", "succeeded", 2)]
        assert {name for (name,) in session.rows("select table_name from _sync_status")} == {
            "customers",
            "invoices",
        }
        ((age,),) = session.rows(
            "select age_seconds from _sync_freshness where table_name = 'invoices'"
        )
        assert 0 <= age < 3600
        assert session.rows(
            "select sum(first_load_rows), sum(increment_rows) from _sync_usage"
        ) == [(5, 0)]
    again = server.sync("customers", "invoices")
    assert again.error is None
    assert again.tables["invoices"]["rows_loaded"] == 0
    account.store.remove("customers", 3)
    swept = server.sweep("customers", allow_share=1.0)
    assert swept.error is None, swept.error
    assert swept.tables["customers"]["deleted_rows"] == 1
    with on_server.session("invoiced", read_only=True) as session:
        assert session.rows("select id from customers where _deleted_at is not null") == [(3,)]
    graph = server.definitions().resolve_asset_graph()
    assert "postgres" in graph.get(server.key("customers")).kinds


def test_a_run_is_blocked_only_by_runs_of_the_same_dataset(
    server: Service, account: Emulator, on_server: Database
) -> None:
    fill(account)
    with on_server.writer_lock("another", "run-1"):
        assert server.sync("customers").error is None
    with on_server.writer_lock("invoiced", "run-2"):
        assert "another run writes this warehouse: run run-2" in (
            server.sync("customers").error or ""
        )


def test_the_password_is_in_no_file_and_no_message(
    server: Service, account: Emulator, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(account)
    password = urlsplit(url).password or ""
    assert password
    assert server.sync("customers").error is None
    settings = server.settings()
    assert password not in f"{settings!r} {settings.warehouse} {open_database(settings.warehouse)}"
    monkeypatch.setenv("INVOICED_POSTGRES_URL", url.replace("/test_", "/gone_"))
    failed = server.sync("customers")
    assert "Cannot reach PostgreSQL" in (failed.error or "")
    assert "does not exist" in (failed.error or "")
    assert password not in (failed.error or "")
    for path in server.folder.rglob("*"):
        if path.is_file():
            assert password.encode() not in path.read_bytes(), path


def test_without_a_server_definitions_load_and_a_run_names_the_setting(
    server: Service, account: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(account)
    monkeypatch.delenv("INVOICED_POSTGRES_URL")
    del server.environment["INVOICED_POSTGRES_URL"]
    assert "set INVOICED_POSTGRES_URL to postgresql://" in (server.sync("customers").error or "")
