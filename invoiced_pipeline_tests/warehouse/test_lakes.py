"""Tests what a lake can hold today: this project's dlt source, loaded by dlt alone.

`docs/other-warehouses.md` describes the results. No lake is a destination of the settings, because
lock, log and ledger need SQL in transactions.
"""

import json
import re
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from unittest import mock

import dlt
import pytest
from dlt.destinations.impl.ducklake.configuration import DuckLakeCredentials
from pydantic import SecretStr

from invoiced_emulator.server import Emulator
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.replication.decode import batches
from invoiced_pipeline.replication.replication import Replication
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.replication.source import invoiced_source
from invoiced_pipeline.warehouse.dlt_options import set_dlt_options
from invoiced_pipeline_tests.change.simulated_account import small_pages
from invoiced_pipeline_tests.conftest import (
    NOW,
    SHORT_RETRIES,
    START,
    Replica,
    customer,
    invoice,
    items,
)
from invoiced_pipeline_tests.front_door import REPOSITORY

Rows = list[dict[str, Any]]


class Lake:
    """A dataset in a lake, loaded by a plain dlt pipeline.

    Args:
        account: What is read.
        folder: Where it lies.
    """

    def __init__(self, account: Emulator, folder: Path) -> None:
        self._account = account
        self.folder = folder
        self._loads = 0

    def load(self, *tables: str) -> dict[str, TableReport]:
        """Loads what is not covered yet, each time in a new working folder, like a new machine."""
        set_dlt_options()
        request = ReplicationRequest(
            **Replica("", "", None).asked(*tables),  # type: ignore[arg-type]
            mode="sync",
            start_date=START,
            connection="Invoiced",
            host="localhost",
        )
        key = SecretStr(self._account.api_key)
        client = InvoicedClient(self._account.url, key, retry_policy=SHORT_RETRIES)
        replication = Replication(client, request)
        source = invoiced_source(replication)
        for resource in source.resources.values():
            for hints in resource._hints_variants.values():
                self.adapt(hints)
        self._pipeline().run(source, loader_file_format="parquet").raise_on_failed_jobs()
        replication.close()
        client.close()
        assert [report.error for report in replication.reports.values() if report.error] == []
        return replication.reports

    def adapt(self, hints: Any) -> None:
        """Changes how a table is loaded."""

    def destination(self) -> Any:
        raise NotImplementedError

    def rows(self, table: str, *columns: str) -> Rows:
        """Some columns of a table, in order."""
        raise NotImplementedError

    def _pipeline(self) -> dlt.Pipeline:
        self._loads += 1
        pipeline = dlt.pipeline(
            "lake",
            pipelines_dir=str(self.folder / f"dlt-{self._loads}"),
            destination=self.destination(),
            dataset_name="invoiced",
        )
        pipeline.sync_destination()
        return pipeline


class Delta(Lake):
    """Delta files, which support only `upsert`."""

    def adapt(self, hints: Any) -> None:
        hints["table_format"] = "delta"
        hints["write_disposition"] = {"disposition": "merge", "strategy": "upsert"}

    def destination(self) -> Any:
        return dlt.destinations.filesystem((self.folder / "lake").as_uri())

    def rows(self, table: str, *columns: str) -> Rows:
        return delta_rows(self.folder / "lake" / "invoiced" / table, *columns)


class DuckLake(Lake):
    """A DuckLake with its catalog in a DuckDB file, with our unchanged source."""

    def destination(self) -> Any:
        credentials = DuckLakeCredentials(
            "lake",
            catalog=f"duckdb:///{self.folder / 'catalog.duckdb'}",
            storage=(self.folder / "files").as_uri(),
        )
        return dlt.destinations.ducklake(credentials=credentials)

    def rows(self, table: str, *columns: str) -> Rows:
        names = ", ".join(columns)
        with (
            self._pipeline().sql_client() as client,
            client.execute_query(f"select {names} from {table} order by all") as found,
        ):
            return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


def delta_rows(place: Path, *columns: str) -> Rows:
    from deltalake import DeltaTable

    found = DeltaTable(place).to_pyarrow_table(columns=list(columns) or None).to_pylist()
    return sorted(found, key=lambda row: [str(row[name]) for name in columns])


@pytest.fixture
def delta(emulator: Emulator, tmp_path: Path) -> Delta:
    pytest.importorskip("deltalake")
    return Delta(emulator, tmp_path)


@pytest.fixture
def ducklake(emulator: Emulator, tmp_path: Path) -> DuckLake:
    import duckdb

    with duckdb.connect() as connection:
        try:
            connection.execute("install ducklake; load ducklake")
        except duckdb.Error as error:
            pytest.skip(f"DuckDB {duckdb.__version__} cannot have its extension: {error}")
    return DuckLake(emulator, tmp_path)


def comes_twice(emulator: Emulator) -> None:
    """Changes a customer while customers are read, so that a load holds two versions."""
    asked = iter(range(100))

    def change(path: str, _: dict[str, Any]) -> None:
        if path == "/customers" and next(asked) == 1:
            changed = emulator.clock.now() - 1000
            emulator.store.put("customers", customer(1, changed, name="New"))

    emulator.store.put_many("customers", [customer(n, NOW - 5000 + n) for n in range(1, 8)])
    emulator.clock.advance(3600)
    emulator.on_request = change


@pytest.fixture
def small_batches() -> Iterator[None]:
    """Makes every page a separate batch."""
    with small_pages(), mock.patch.object(batches, "TYPED_ROWS", 1):
        yield


COLUMNS = ("id", "notes", "total", "balance", "updated_at", "metadata", "_deleted_at")


def assert_exact(emulator: Emulator, lake: Lake) -> None:
    """Values are exact, and the next load, on another machine, brings the changes."""
    amount = Decimal("1000000000000000.01")
    record = invoice(1, NOW - 5000, total=amount, notes="", metadata={"é": "\\ 🧾"}, items=items(2))
    emulator.store.put("invoices", record)
    lake.load("invoices")
    (row,) = lake.rows("invoices", *COLUMNS)
    assert json.loads(row.pop("metadata")) == {"é": "\\ 🧾"}
    assert row == {
        "id": 1,
        "notes": "",
        "total": amount,
        "balance": None,
        "updated_at": datetime.fromtimestamp(NOW - 5000, UTC),
        "_deleted_at": None,
    }
    emulator.store.put("invoices", invoice(2, emulator.clock.advance(86_400) - 4000))
    emulator.store.put("invoices", invoice(1, emulator.clock.now() - 4000, total=5, items=items(1)))
    assert lake.load("invoices")["invoices"].rows == 2
    totals = lake.rows("invoices", "id", "total")
    assert totals == [{"id": 1, "total": 5}, {"id": 2, "total": 100}]


def test_delta_keeps_values_and_state_and_merges_by_key(emulator: Emulator, delta: Delta) -> None:
    assert_exact(emulator, delta)
    lines = delta.rows("invoices__items", "invoice_id", "_index")
    # The second line is gone in Invoiced, but `upsert` cannot remove it.
    assert lines == [{"invoice_id": 1, "_index": 0}, {"invoice_id": 1, "_index": 1}]


@pytest.mark.usefixtures("small_batches")
def test_delta_keeps_both_rows_of_an_id_that_comes_twice(emulator: Emulator, delta: Delta) -> None:
    comes_twice(emulator)
    delta.load("customers")
    assert [row["id"] for row in delta.rows("customers", "id")].count(1) == 2


@pytest.mark.slow
@pytest.mark.usefixtures("small_batches")
def test_ducklake_follows_our_rules(emulator: Emulator, ducklake: DuckLake) -> None:
    assert_exact(emulator, ducklake)
    lines = ducklake.rows("invoices__items", "invoice_id", "_index")
    assert lines == [{"invoice_id": 1, "_index": 0}]
    emulator.store.put("invoices", invoice(1, emulator.clock.advance(86_400) - 4000, items=[]))
    ducklake.load("invoices")
    assert ducklake.rows("invoices__items", "invoice_id") == []
    comes_twice(emulator)
    ducklake.load("customers")
    names = ducklake.rows("customers", "id", "name")
    assert [row["name"] for row in names if row["id"] == 1] == ["New"]


def test_the_copy_of_the_document(
    emulator: Emulator,
    replicate: Replica,
    warehouse: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("deltalake")
    document = (REPOSITORY / "docs" / "other-warehouses.md").read_text(encoding="utf-8")
    (script,) = re.findall(r"```python\n(.*?)```", document, re.DOTALL)
    # The default name: with the dataset's name, `invoiced.customers` would be ambiguous.
    named = tmp_path / "warehouse.duckdb"
    script = script.replace("data/warehouse.duckdb", str(named))
    script = script.replace("file:///srv/lake", (tmp_path / "lake").as_uri())
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DLT_DATA_DIR", str(tmp_path / "dlt"))
    emulator.store.put_many("customers", [customer(n, notes="") for n in (1, 2)])
    emulator.store.put("invoices", invoice(1, total="0.0000000001", items=items(2)))
    for count in (2, 1):
        replicate.ok("customers", "invoices")
        shutil.copy(warehouse, named)
        exec(script, {})  # noqa: S102 - the document's own
        for table in ("customers", "invoices", "invoices__items"):
            # In this process, dlt is set to write its load id.
            names = [name for name in replicate.columns(table) if name != "_dlt_load_id"]
            here = [{name: row[name] for name in names} for row in replicate.rows(table)]
            here.sort(key=lambda row: [str(row[name]) for name in names])
            assert delta_rows(tmp_path / "lake" / "invoiced" / table, *names) == here
        assert len(delta_rows(tmp_path / "lake" / "invoiced" / "invoices__items")) == count
        changed = emulator.clock.advance(86_400) - 4000
        emulator.store.put("invoices", invoice(1, changed, items=items(1)))
