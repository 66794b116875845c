"""Runs write comments, and create or drop the views without deleted rows."""

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.replication.documentation import dataset as documentation
from invoiced_pipeline_tests.conftest import customer
from invoiced_pipeline_tests.defs.conftest import Service

WAREHOUSE = '[warehouse]\npath = "data/warehouse.duckdb"\n[[connection]]\n'


def write(service: Service, connection: str) -> None:
    (service.folder / "invoiced.toml").write_text(WAREHOUSE + connection, encoding="utf-8")


def test_a_sync_documents_what_it_loads(service: Service, account: Emulator) -> None:
    write(service, "")
    account.store.put("customers", customer(1, account.clock.now() - 4000))
    assert service.sync("customers").error is None
    count = "select count(*) from invoiced_current.customers"
    assert service.query(count) == [(1,)]
    with service.database.session("invoiced", read_only=True) as session:
        found = session.relations(["invoiced"])
    assert [each.name for each in found if not each.comment] == []
    write(service, "current_views = false")
    assert service.sync("customers").error is None
    with service.database.session("invoiced", read_only=True) as session:
        assert session.relations(["invoiced_current"]) == []


def test_a_run_does_not_fail_because_of_comments(
    service: Service, account: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        message = "permission denied"
        raise WarehouseError(message)

    write(service, "")
    account.store.put("customers", customer(1, account.clock.now() - 4000))
    monkeypatch.setattr(documentation, "write_comments", fail)
    monkeypatch.setattr(documentation, "keep_current_views", fail)
    assert service.sync("customers").error is None
    assert service.query("select count(*) from customers") == [(1,)]
    assert service.query("select count(*) from _sync_log") == [(1,)]
