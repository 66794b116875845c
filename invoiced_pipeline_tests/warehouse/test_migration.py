"""The move from DuckDB to a server: rows, state and start date; nothing is read again."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from invoiced_emulator.server import Emulator
from invoiced_pipeline.exceptions import WarehouseBusyError, WarehouseError
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline.warehouse.migration import move_dataset
from invoiced_pipeline.warehouse.postgres.database import PostgresDatabase
from invoiced_pipeline.warehouse.start_date import default_start_date, pin_start_date
from invoiced_pipeline_tests.conftest import NOW, Replica, customer, invoice, items
from invoiced_pipeline_tests.postgres_server import new_database

DAY = 86_400


def test_a_dataset_moves_and_the_next_sync_goes_on(
    emulator: Emulator, warehouse: Path, tmp_path: Path, postgres_url: str
) -> None:
    emulator.store.put_many("customers", [customer(n, NOW - 5000, notes="") for n in range(1, 41)])
    lines = [invoice(n, NOW - 5000, items=items(2), total=0.1, balance=1e9) for n in range(1, 6)]
    emulator.store.put_many("invoices", [*lines, invoice(9, NOW - 5000, paid=7)])
    file = DuckDbDatabase(warehouse)
    history: dict[str, Any] = {"customers": {"history": True}}
    old = Replica(emulator.url, emulator.api_key, file, tables=history)
    old.ok()
    pinned = datetime(2019, 5, 1, tzinfo=UTC)
    pin_start_date(file, "invoiced", pinned)
    with file.session("invoiced") as session:  # such as a write-back's ledger
        session.run("create table _writeback_ledger (record_key text, attempts bigint)")
        session.run("insert into _writeback_ledger values ('a', 1)")

    with new_database(postgres_url) as url:
        server = PostgresDatabase(SecretStr(url), tmp_path / "elsewhere")
        moved = {each.table: each.rows for each in move_dataset(file, server, "invoiced")}
        assert (moved["customers"], moved["invoices"], moved["invoices__items"]) == (40, 5, 10)
        assert (moved["_writeback_ledger"], moved["_rejected"]) == (1, 1)
        new = Replica(emulator.url, emulator.api_key, server, tables=history)
        for table in ("customers", "invoices", "invoices__items", "_rejected"):
            assert new.rows(table) == old.rows(table)
        assert default_start_date(server, "invoiced") == pinned

        now = emulator.clock.advance(DAY)
        emulator.store.put("customers", customer(7, now - 50, name="changed"))
        emulator.store.put("invoices", invoice(9, now - 50, items=items(1)))
        reports = new.ok()
        assert (reports["customers"].rows, reports["invoices"].rows) == (1, 1)
        assert reports["customers"].coverage_before.until is not None
        assert new.ids("customers") == list(range(1, 41))
        assert new.query("select id from customers where name = 'changed'") == [(7,)]
        assert len(new.rows("customers__versions")) == 41
        assert new.ids("invoices") == [1, 2, 3, 4, 5, 9]
        assert new.rows("_rejected") == []

        with pytest.raises(WarehouseError, match="already holds invoiced"):
            move_dataset(file, server, "invoiced")
        with file.writer_lock("invoiced", "run-1"), pytest.raises(WarehouseBusyError):
            move_dataset(file, server, "invoiced")


def test_nothing_to_move_is_reported(warehouse: Path, tmp_path: Path, postgres_url: str) -> None:
    with new_database(postgres_url) as url:
        server = PostgresDatabase(SecretStr(url), tmp_path)
        with pytest.raises(WarehouseError, match="There is no"):
            move_dataset(DuckDbDatabase(warehouse), server, "invoiced")
        with DuckDbDatabase(warehouse).session("other") as session:
            session.run("create table odd (id uuid)")
        with pytest.raises(WarehouseError, match="nothing to move"):
            move_dataset(DuckDbDatabase(warehouse), server, "invoiced")
        with pytest.raises(WarehouseError, match=r"odd\.id is of type UUID"):
            move_dataset(DuckDbDatabase(warehouse), server, "other")
        with server.session("other", read_only=True) as session:
            assert session.tables() <= {"_writer"}
