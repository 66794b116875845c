"""The tables of an empty account, and all rows of a seeded one."""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import pytest

from invoiced_emulator.seed import generate
from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLES
from invoiced_pipeline.catalog import table as table_called
from invoiced_pipeline.replication.decode.columns import child_columns, parent_columns
from invoiced_pipeline.replication.rejects import REJECTED, REJECTED_COLUMNS
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline_tests.conftest import NOW, Replica, customer

TYPES = {
    "bigint": "bigint",
    "text": "text",
    "boolean": "boolean",
    "decimal": "decimal(38,10)",
    "timestamp": "timestamp with time zone",
    "json": "json",
}
SAME = {"varchar": "text", "character varying": "text", "numeric": "decimal"}
"""Other names of the same types."""


def declared() -> dict[str, dict[str, str]]:
    tables = {table.name: parent_columns(table) for table in TABLES}
    for table in TABLES:
        for child in table.children:
            tables[table.child_name(child)] = child_columns(table, child)
    tables[REJECTED] = REJECTED_COLUMNS
    return {
        name: {column.name: TYPES[column.type] for column in columns}
        for name, columns in tables.items()
    }


def existing(replicate: Replica) -> dict[str, dict[str, str]]:
    tables: dict[str, dict[str, str]] = defaultdict(dict)
    for table, column, type_, digits, scale in replicate.query(
        "select table_name, column_name, lower(data_type), numeric_precision, numeric_scale "
        f"from information_schema.columns where table_schema = '{replicate.dataset}'"
    ):
        name = SAME.get(type_, type_)
        tables[table][column] = f"decimal({digits},{scale})" if name == "decimal" else name
    return tables


@pytest.mark.everywhere
def test_empty_account_gives_empty_tables_with_all_columns(
    emulator: Emulator, replicate: Replica
) -> None:
    reports = replicate.ok()
    assert all(report.rows == 0 and report.coverage.windows for report in reports.values())
    found = existing(replicate)
    own = {name: columns for name, columns in found.items() if not name.startswith("_dlt")}
    expected = {name: columns | {"_dlt_load_id": "text"} for name, columns in declared().items()}
    assert own == expected
    assert {name for name in found if name.startswith("_dlt")} == {
        "_dlt_loads",
        "_dlt_pipeline_state",
        "_dlt_version",
    }
    for name in own:
        assert replicate.rows(name) == []


def test_seeded_account_arrives_whole(emulator: Emulator, replicate: Replica) -> None:
    records = defaultdict(list)
    for collection, record in generate(seed=3, customers=12, now=NOW):
        records[collection].append(record)
    for collection, kept in records.items():
        emulator.store.put_many(collection, kept)
    replicate.ok()
    for table in TABLES:
        ids = {record["id"] for record in records[table.name]}
        assert replicate.ids(table.name) == sorted(ids)
        loads = replicate.query(f"select count(*) from {table.name} where _dlt_load_id is null")
        assert loads == [(0,)]
        for child in table.children:
            elements = sum(len(record.get(child.array) or []) for record in records[table.name])
            if table.name != "plans":  # only one version of a reused id has a row
                assert len(replicate.rows(table.child_name(child))) == elements
    totals = replicate.query("select sum(total), sum(balance) from invoices")
    assert totals == [
        tuple(sum(record[name] for record in records["invoices"]) for name in ("total", "balance"))
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["temp", "memory", "main", "system", "in voiced-1", "customers"])
def test_file_may_have_any_name(replicate: Replica, warehouse: Path, name: str) -> None:
    replicate.database = DuckDbDatabase(warehouse.with_name(f"{name}.duckdb"))
    replicate.ok("customers")
    replicate.ok("customers")


def test_a_column_that_a_newer_catalog_knows(
    emulator: Emulator, replicate: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upgrade widens the table; `sync --full` fills the column of earlier rows."""
    known = table_called("customers")
    older = replace(known, columns=tuple(each for each in known.columns if each.name != "type"))
    records = [customer(number, NOW - 4000 + number, type="company") for number in (1, 2)]
    emulator.store.put_many("customers", records)
    with monkeypatch.context() as patched:
        patched.setattr("invoiced_pipeline_tests.conftest.all_tables_of", lambda _: [older])
        replicate.ok("customers")
    typed = "select id, type, _extra is null from customers order by id"
    assert replicate.query(typed.replace("type", "name")) == [
        (1, "Customer 1", False),
        (2, "Customer 2", False),
    ]
    emulator.store.put("customers", customer(2, NOW - 100, type="person"))
    replicate.ok("customers")
    assert replicate.query(typed) == [(1, None, False), (2, "person", True)]
    replicate.ok("customers", mode="full")
    assert replicate.query(typed) == [(1, "company", True), (2, "person", True)]
    # An older catalog again: nothing is removed, and rows loaded from then on are NULL.
    with monkeypatch.context() as patched:
        patched.setattr("invoiced_pipeline_tests.conftest.all_tables_of", lambda _: [older])
        replicate.ok("customers")
    assert replicate.query(typed) == [(1, "company", True), (2, None, False)]
