"""Record keys: trimmed, distinct, and short enough for the ledger of every warehouse."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from invoiced_pipeline.settings import WritebackSettings
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.writeback.ledger.ledger import Ledger
from invoiced_pipeline.writeback.plan.plan import Plan
from invoiced_pipeline.writeback.plan.plan_table import write_plan
from invoiced_pipeline.writeback.plan.planner import PlanRequest
from invoiced_pipeline.writeback.plan.single_row import SingleRow, plan_single
from invoiced_pipeline.writeback.source.record_keys import LONGEST_KEY
from invoiced_pipeline_tests.writeback.plans import NAME, ledger_entry, plan_of, planned
from invoiced_pipeline_tests.writeback.push_harness import DATASET, PushHarness

SENT = ledger_entry(state="succeeded", payload_hash="h", invoiced_id="7", succeeded_hash="h")


def keys_of(plan: Plan) -> list[tuple[str, str]]:
    return [(row.record_key, row.action) for row in plan.rows]


def customers(database: Database, *keys: Any, **options: Any) -> Plan:
    rows = ({"key": key, "name": f"n{at}"} for at, key in enumerate(keys))
    return plan_of(database, "create_customer", *rows, check_replica=False, **options)


@pytest.mark.parametrize("space", [" ", "\t", "\n", "\u00a0", "  "])
def test_keys_are_trimmed(database: Database, space: str) -> None:
    plan = customers(database, f"X1{space}", f"{space}X2", "X3")
    assert keys_of(plan) == [("X1", "create"), ("X2", "create"), ("X3", "create")]


@pytest.mark.parametrize("key", ["", " ", "\t\n", None])
def test_a_blank_key_is_missing(database: Database, key: str | None) -> None:
    (row,) = customers(database, key).rows
    assert (row.action, row.reason) == (
        "invalid",
        "the key column key is empty: every row needs a key",
    )


def test_a_key_that_differs_only_in_white_space_is_invalid(database: Database) -> None:
    plan = customers(database, "X1", "X1 ", "X2", " X1", "X1")
    assert [row.action for row in plan.rows] == ["create", "invalid", "create", "invalid", "update"]
    assert plan.rows[1].reason is not None
    assert "'X1 ' differs from 'X1' of an earlier row" in plan.rows[1].reason
    # The ledger's entry of the valid row is not that of the invalid one.
    assert plan.rows[1].record_key == "X1 "


def test_rows_of_one_identical_key_are_still_sent_in_order(database: Database) -> None:
    plan = customers(database, "X1 ", "X1 ")
    assert keys_of(plan) == [("X1", "create"), ("X1", "update")]


def test_a_row_that_was_sent_under_an_untrimmed_key_keeps_it(database: Database) -> None:
    plan = customers(database, "X1 ", known={"X1 ": SENT})
    assert keys_of(plan) == [("X1 ", "update")]
    plan = customers(database, "X1 ", known={"X1 ": replace(SENT, succeeded_hash=None,
                                                            state="invalid")})  # fmt: skip
    assert keys_of(plan) == [("X1", "create")]


def test_references_are_trimmed_as_well(database: Database) -> None:
    row = {"key": "i", "owner": " C1 ", "number": "1"}
    found = planned(
        database,
        "create_customer",
        row | {"name": "n"},
        others={"groups": {"C1": SENT}},
        mapping={"parent_customer": "@groups[owner].id"},
        check_replica=False,
    )
    assert found.body is not None
    assert found.body["parent_customer"] == 7


@pytest.mark.everywhere
@pytest.mark.parametrize(
    ("key", "reason"),
    [
        ("A\x00B", "U+0000"),
        ("\x00", "U+0000"),
        ("x" * (LONGEST_KEY + 1), "1,001 bytes"),
        ("ü" * 501, "1,002 bytes"),
        ("x" * 100_000, "100,000 bytes"),
    ],
)
def test_a_key_that_the_ledger_cannot_hold_is_invalid(
    pushing: PushHarness, database: Database, key: str, reason: str
) -> None:
    plan = customers(database, "X1", key)
    assert [row.action for row in plan.rows] == ["create", "invalid"]
    bad = plan.rows[1]
    assert bad.reason is not None
    assert reason in bad.reason
    pushing(plan.rows, reject_share=1)
    states = {
        e.record_key: e.state for e in Ledger(database, DATASET).entries("create_customer").values()
    }
    assert states == {"X1": "succeeded", "(unusable key) row 1": "invalid"}


@pytest.mark.everywhere
def test_the_longest_key_is_stored(pushing: PushHarness, database: Database) -> None:
    key = "ü" * (LONGEST_KEY // 2)
    pushing(customers(database, key).rows)
    assert Ledger(database, DATASET).entries("create_customer")[key].state == "succeeded"


@pytest.mark.everywhere
@pytest.mark.parametrize(
    ("row", "field"),
    [
        ({"name": "a\x00"}, "name"),
        ({"name": "a", "notes": "\x00"}, "notes"),
        ({"name": "a", "metadata": {"k": "b\x00"}}, "metadata"),
        ({"name": "a", "metadata": {"k\x00": "b"}}, None),
        ({"name": "a", "email": "\x00@example.com"}, "email"),
    ],
)
def test_a_text_with_nul_is_an_invalid_row(
    pushing: PushHarness, database: Database, row: dict[str, Any], field: str | None
) -> None:
    plan = plan_of(database, "create_customer", {"name": "good"}, row, check_replica=False)
    bad = plan.rows[1]
    assert (bad.action, bad.reason_param) == ("invalid", field)
    assert bad.reason is not None
    assert "U+0000" in bad.reason
    with database.session(DATASET):
        write_plan(database, DATASET, plan, "run")
    pushing(plan.rows, reject_share=1)
    entries = Ledger(database, DATASET).entries("create_customer")
    assert {key: each.state for key, each in entries.items()} == {
        "k0": "succeeded",
        "k1": "invalid",
    }


@pytest.mark.duckdb("files are read in the same way for every warehouse")
@pytest.mark.parametrize(("asked", "name"), [("X1", "a"), (" X1 ", "a"), ("X1 ", "b"), ("X2", "d")])
def test_one_row_is_found_by_its_trimmed_key(
    database: Database, tmp_path: Path, asked: str, name: str
) -> None:
    (tmp_path / "x.csv").write_text("ext_id,name\nX1,a\nX1 ,b\nX2,c\nX2,d\n", encoding="utf-8")
    settings = WritebackSettings(
        name=NAME, operation="create_customer", source="x.csv", key="ext_id", exclude=["ext_id"]
    )
    request = PlanRequest(settings=settings, dataset="invoiced", folder=tmp_path)
    (row,) = plan_single(request, SingleRow(record_key=asked), database).rows
    assert row.body == {"name": name}
