"""Which tables an event concerns."""

import pytest

from invoiced_pipeline.catalog import TABLE_NAMES
from invoiced_pipeline.catalog.events import tables_concerned, tables_with_events

WITHOUT_EVENTS = {"plans", "items", "coupons", "tax_rates"}


def test_every_table_has_events_but_those_of_the_price_list() -> None:
    assert set(TABLE_NAMES) - tables_with_events() == WITHOUT_EVENTS & set(TABLE_NAMES)


@pytest.mark.parametrize(
    ("kind", "tables"),
    [
        ("invoice.paid", {"invoices"}),
        ("invoice.deleted", {"invoices"}),
        ("payment.deleted", {"payments", "transactions", "credit_balance_adjustments"}),
        ("transaction.created", {"transactions", "credit_balance_adjustments"}),
        ("customer.updated", {"customers"}),
    ],
)
def test_tables_of_an_event(kind: str, tables: set[str]) -> None:
    assert tables_concerned(kind) & set(TABLE_NAMES) == tables


@pytest.mark.parametrize(
    "kind", ["email.sent", "letter.sent", "invoice.viewed", "estimate.commented", "plan", "", "."]
)
def test_events_without_a_table(kind: str) -> None:
    assert tables_concerned(kind) == set()
