"""The views for dashboards made on Stitch: names, columns, types, and what happens beneath them."""

import json
import logging
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import table as table_called
from invoiced_pipeline.catalog.stitch import SUBTABLES
from invoiced_pipeline.replication.documentation.dataset import document_dataset
from invoiced_pipeline.selection.tables import all_tables_of
from invoiced_pipeline.warehouse.deletion_marks import Mark, Marks
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline_tests.conftest import NOW, Replica, customer, invoice, items

CONTRACT: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parents[2] / "catalog" / "published_contract.json").read_text(encoding="utf-8")
)
TYPES = {
    "bigint": {"BIGINT"},
    "text": {"VARCHAR", "TEXT"},
    "boolean": {"BOOLEAN"},
    "decimal": {"DECIMAL(38,10)", "NUMERIC"},
    "timestamp": {"TIMESTAMP WITH TIME ZONE"},
    "json": {"JSON"},
}
SYSTEM = {
    "_sdc_extracted_at": "timestamp",
    "_sdc_received_at": "timestamp",
    "_sdc_batched_at": "timestamp",
    "_sdc_sequence": "bigint",
    "_sdc_table_version": "bigint",
}
DOCUMENT = ("items", "items__discounts", "items__taxes", "discounts", "taxes")


@pytest.fixture
def replica(emulator: Emulator, replicate: Replica) -> Replica:
    """Two invoices of a customer; the first has taxes on its second line."""
    if isinstance(replicate.database, DuckDbDatabase):
        file = Path(replicate.database.label).with_name("warehouse.duckdb")
        replicate.database = DuckDbDatabase(file)
    lines = items(2)
    lines[0]["taxes"] = "none"
    lines[1]["taxes"] = [
        {"id": 7, "object": "tax", "amount": 1.25, "tax_rate": {"id": "vat"}, "updated_at": NOW},
        {"id": 8, "object": "tax", "amount": "unknown", "tax_rate": None},
    ]
    emulator.store.put("customers", customer(1, email="ada@example.com", phone="555"))
    emulator.store.put_many(
        "invoices", [invoice(1, customer=1, items=lines), invoice(2, customer=1, items=items(1))]
    )
    return replicate


def document(replica: Replica, schema: str | None = "stitch_invoiced") -> None:
    """Documents the dataset like a run."""
    tables = all_tables_of(replica.settings().first)
    with replica.database.session("invoiced") as session:
        document_dataset(session, tables, current_views=False, stitch_schema=schema)


def columns(replica: Replica, schema: str = "stitch_invoiced") -> dict[str, dict[str, str]]:
    """The columns' types, by view and column."""
    found: dict[str, dict[str, str]] = {}
    sql = (
        "select table_name, column_name, data_type from information_schema.columns "
        f"where table_schema = '{schema}' order by table_name, ordinal_position"
    )
    for name, column, kind in replica.query(sql):
        found.setdefault(name, {})[column] = kind.upper()
    return found


@pytest.mark.everywhere
def test_views_have_stitchs_names_columns_and_types(replica: Replica) -> None:
    replica.ok()
    Marks(replica.database, "invoiced").apply(
        [Mark("invoices", "id", 2, datetime.fromtimestamp(NOW, UTC))]
    )
    document(replica)
    views = columns(replica)
    subtables = {
        *("customers__taxes", "subscriptions__addons"),
        *("subscriptions__discounts", "subscriptions__taxes"),
        *(f"{each}__{array}" for each in ("invoices", "credit_notes", "estimates")
          for array in DOCUMENT),
    }  # fmt: skip
    assert views.keys() == {*SUBTABLES, *subtables}
    for name in SUBTABLES:
        for column, kind in (CONTRACT[name] | SYSTEM).items():
            assert views[name][column] in TYPES[kind], (name, column)
    for name in subtables:
        keys = {"_sdc_source_key_id": "bigint", "_sdc_level_0_id": "bigint"}
        assert {each: views[name][each] for each in keys | SYSTEM}.keys() <= views[name].keys()
        assert ("_sdc_level_1_id" in views[name]) == (name.count("__") == 2)
        assert all(views[name][each] in TYPES[kind] for each, kind in (keys | SYSTEM).items())
    # The deleted one is still there, and lines join their invoice as Stitch's documentation says.
    joined = replica.query(
        "select invoices.id, lines.name, lines._sdc_level_0_id from stitch_invoiced.invoices "
        "join stitch_invoiced.invoices__items as lines on _sdc_source_key_id = invoices.id "
        "and lines._sdc_sequence = invoices._sdc_sequence order by 1, 3"
    )
    assert joined == [(1, "line 0", 0), (1, "line 1", 1), (2, "line 0", 0)]
    taxes = replica.query(
        "select id, amount, cast(tax_rate as text), updated_at, _sdc_source_key_id, "
        "_sdc_level_0_id, _sdc_level_1_id from stitch_invoiced.invoices__items__taxes order by id"
    )
    at = datetime.fromtimestamp(NOW, UTC)
    assert taxes[0][:2] + taxes[0][3:] == (7, 1.25, at, 1, 1, 0)
    assert json.loads(taxes[0][2]) == {"id": "vat"}
    assert taxes[1] == (8, None, None, None, 1, 1, 1)
    ((extracted, batched, sequence),) = replica.query(
        "select _sdc_extracted_at, _sdc_batched_at, _sdc_sequence "
        "from stitch_invoiced.invoices where id = 1"
    )
    assert extracted < batched
    assert abs(sequence / 1e9 - extracted.timestamp()) < 0.001


@pytest.mark.everywhere
def test_loads_go_on_beneath_the_views(
    replica: Replica, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    known = table_called("customers")
    older = replace(known, columns=tuple(each for each in known.columns if each.name != "number"))
    with monkeypatch.context() as patched:
        patched.setattr("invoiced_pipeline_tests.conftest.all_tables_of", lambda _: [older])
        replica.ok("customers")
        document(replica)
    query = "select number, email, phone, city from stitch_invoiced.customers"
    assert replica.query(query) == [(None, "ada@example.com", "555", None)]
    with replica.database.session("invoiced") as session:
        session.run("create view mine as select id, number from stitch_invoiced.customers")
    replica.ok("customers", mode="full")  # adds the column
    replica.tables = {"customers": {"hash": ["email"], "drop": ["phone"], "exclude": ["city"]}}
    replica.ok("customers")  # redacts rows, and rewrites tables
    document(replica)
    ((number, email, phone, city),) = replica.query(query)
    assert (number, len(email), phone, city) == ("C-1", 64, None, None)
    assert replica.query("select number from mine") == [("C-1",)]
    assert "could not be updated" not in caplog.text
    with replica.database.session("invoiced") as session:
        session.run("drop view mine")
        session.run("drop view stitch_invoiced.customers")
        session.run("drop table customers")
    replica.ok("customers", mode="full")
    document(replica)
    assert replica.query("select number from stitch_invoiced.customers") == [("C-1",)]


def test_views_follow_the_setting(replica: Replica, caplog: pytest.LogCaptureFixture) -> None:
    replica.ok("customers", "invoices")
    document(replica)
    with replica.database.session("invoiced") as session:
        session.run("create schema stitch_new")
        session.run("create table stitch_new.invoices (id bigint)")
    document(replica, "stitch_new")
    assert "stitch_new.invoices was not created by invoiced-pipeline" in caplog.text
    assert columns(replica) == {}
    assert columns(replica, "stitch_new")["invoices"] == {"id": "BIGINT"}
    assert "_sdc_sequence" in columns(replica, "stitch_new")["customers"]
    document(replica, None)
    assert columns(replica, "stitch_new").keys() == {"invoices"}
    schemas = "select schema_name from information_schema.schemata"
    assert ("stitch_invoiced",) not in replica.query(schemas)


def test_only_what_changed_is_made_again(replica: Replica, monkeypatch: Any) -> None:
    replica.ok("customers", "invoices")
    document(replica)
    with replica.database.session("invoiced") as session:
        statements: list[str] = []
        monkeypatch.setattr(session, "run", lambda sql, values=(): statements.append(sql))
        tables = all_tables_of(replica.settings().first)
        document_dataset(session, tables, current_views=False, stitch_schema="stitch_invoiced")
    assert not [sql for sql in statements if sql.startswith(("create", "drop", "comment"))]


@pytest.mark.duckdb("about a file's name")
def test_a_file_named_like_the_schema_has_no_views(
    replica: Replica, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    replica.database = DuckDbDatabase(tmp_path / "stitch_invoiced.duckdb")
    replica.ok("customers")
    document(replica)
    assert "the same name as the schema stitch_invoiced" in caplog.text
    assert columns(replica) == {}
    replica.ok("customers")
