"""What events mean for rows, without an API or a warehouse."""

from typing import Any

import msgspec
import pytest

from invoiced_pipeline.catalog import ALL_TABLES
from invoiced_pipeline.invoiced.reading.events import Event, Snapshot
from invoiced_pipeline.replication.deletions.consequences import consequences, customer_columns
from invoiced_pipeline.windows import from_epoch


def event(kind: str, at: int = 100, **snapshot: Any) -> Event:
    return Event(at, kind, at, msgspec.convert(snapshot, Snapshot))


def marked(*events: Event) -> set[tuple[str, str, Any, int]]:
    return {
        (mark.table, mark.column, mark.value, int(mark.at.timestamp()))
        for mark in consequences(events).marks
    }


def test_a_deleted_customer_marks_all_that_goes_with_it() -> None:
    columns = {table.name: set(customer_columns(table)) for table in ALL_TABLES}
    assert columns.pop("customers") == {"parent_customer"}
    assert columns.pop("charges") == {"customer"}  # they stay
    assert marked(event("customer.deleted", id=7)) == {
        ("customers", "id", 7, 100),
        *((name, column, 7, 100) for name, found in columns.items() for column in found),
    }
    assert columns["tasks"] == {"customer_id"}


def test_a_deleted_invoice_takes_its_payment_plan_along() -> None:
    assert marked(event("invoice.deleted", id=7)) == {
        ("invoices", "id", 7, 100),
        ("payment_plans", "invoice_id", 7, 100),
    }


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        ("contact.deleted", "contacts"),
        ("line_item.deleted", "pending_line_items"),
        ("payment_plan.deleted", "payment_plans"),
    ],
)
def test_events_of_optional_tables_mark_their_rows(kind: str, table: str) -> None:
    assert marked(event(kind, id=7)) == {(table, "id", 7, 100)}


def test_a_merge_marks_the_victim_alone() -> None:
    merge = event("customer.merged", id=1, original_customer={"id": 2})
    assert marked(merge) == {("customers", "id", 2, 100)}
    assert consequences([merge]).survivors == {1}


def test_a_chain_of_merges_ends_with_the_last_survivor() -> None:
    chain = [
        event("customer.merged", 1, id=2, original_customer={"id": 1}),
        event("customer.merged", 2, id=3, original_customer={"id": 2}),
        event("customer.deleted", 3, id=3),
    ]
    gone = {value for table, _, value, at in marked(*chain) if table == "payments" and at == 3}
    assert gone == {1, 2, 3}
    assert consequences(chain).survivors == {2, 3}


@pytest.mark.parametrize(
    "kind", ["subscription.deleted", "dispute.deleted", "payment_source.deleted"]
)
def test_other_deletions_do_not_affect_rows(kind: str) -> None:
    assert consequences([event(kind, id=1)]).marks == ()


def test_a_payment_is_doubtful_unless_it_was_voided() -> None:
    events = [event("payment.deleted", id=1, voided=True), event("payment.deleted", id=2)]
    assert consequences(events).doubtful_payments == {2: from_epoch(100)}
    assert consequences(events).marks == ()


def test_events_without_a_snapshot_name_no_record() -> None:
    events = [event("invoice.deleted"), event("customer.merged", id=1), event("customer.merged")]
    assert consequences(events).marks == ()
