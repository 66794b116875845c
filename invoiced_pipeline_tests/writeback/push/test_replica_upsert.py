"""Records of a push are in the replica at once, typed as a sync types them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from invoiced_pipeline_tests.conftest import Replica
from invoiced_pipeline_tests.writeback.push_harness import DATASET, PushHarness, customers, planned


@pytest.mark.everywhere
def test_records_are_there_before_the_next_sync(
    replicating: PushHarness, replicate: Replica, rows: Callable[[str], list[dict[str, Any]]]
) -> None:
    body = {"name": "A", "email": "Ann@Example.com", "metadata": {"vip": True, "seats": 5}}
    report = replicating([planned("a", body), *customers(2)])
    assert (report.failure, report.verified, report.notes) == (None, 3, [])
    pushed = {row["id"]: row for row in rows("customers")}
    replicate.ok("customers")
    synced = {row["id"]: row for row in rows("customers")}
    for row in [*pushed.values(), *synced.values()]:
        del row["_dlt_load_id"]
    assert pushed == synced
    first = json.loads(min(pushed.values(), key=lambda row: row["name"])["metadata"])
    assert (first["vip"], first["seats"]) == ("1", "5")


def test_children_follow_their_record(replicating: PushHarness, replicate: Replica) -> None:
    customer = {"id": 7, "object": "customer", "name": "A", "updated_at": 1_690_000_000}
    replicating.emulator.store.put("customers", customer)
    replicate.ok("invoices", "payments")
    lines = [{"name": "one", "quantity": 2, "unit_cost": 10}, {"name": "two", "unit_cost": 5}]
    invoice = planned("i", {"customer": 7, "items": lines}, path="/invoices")
    assert replicating([invoice], operation_name="create_invoice").failure is None
    ((invoice_id, total),) = replicate.query("select id, total from invoices")
    assert total == 25
    splits = [{"type": "invoice", "invoice": invoice_id, "amount": 25}]
    payment = planned("p", {"amount": 25, "applied_to": splits}, path="/payments")
    assert replicating([payment], operation_name="record_payment").failure is None
    shown = replicate.query("select amount, invoice from payments__applied_to")
    assert shown == [(25, invoice_id)]


def test_unreplicated_table_is_not_created(pushing: PushHarness) -> None:
    assert pushing(customers(1)).failure is None
    with pushing.database.session(DATASET, read_only=True) as session:
        assert "customers" not in session.tables()


def test_lost_ledger_is_restored_from_the_replica(replicating: PushHarness) -> None:
    rows = customers(3)
    replicating(rows)
    with replicating.database.session(DATASET) as session:
        session.run("drop table _writeback_ledger")
    report = replicating([*rows, *customers(1, start=3)])
    assert report.failure is None
    assert replicating.emulator.store.count("customers") == 4
    assert set(replicating.states().values()) == {"succeeded"}
