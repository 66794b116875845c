"""The optional tables of the catalog, and how they are listed."""

import pytest

from invoiced_pipeline.catalog import ALL_TABLES, OPTIONAL_TABLES, TABLES, Table, table
from invoiced_pipeline_tests.catalog import test_catalog as default

each_table = pytest.mark.parametrize(
    "entry", OPTIONAL_TABLES, ids=[entry.name for entry in OPTIONAL_TABLES]
)


def test_tables_and_their_order() -> None:
    assert [entry.name for entry in OPTIONAL_TABLES] == [
        "events",
        "contacts",
        "payment_sources",
        "pending_line_items",
        "payment_plans",
    ]
    assert (*TABLES, *OPTIONAL_TABLES) == ALL_TABLES
    assert {entry.name: entry.listing for entry in OPTIONAL_TABLES if entry.parent is None} == {
        "events": "appended"
    }


@each_table
def test_they_are_declared_as_the_default_tables_are(entry: Table) -> None:
    default.test_everything_is_described_in_sentences(entry)
    default.test_foreign_keys_lead_to_a_key_of_the_same_type(entry)
    default.test_children_are_json_columns_of_their_parent(entry)
    names = [column.name for column in entry.columns]
    assert len(names) == len(set(names))
    assert entry.columns[0].name == entry.primary_key
    assert entry.column(entry.replication_key).type == "timestamp"
    assert {column.twin for column in entry.columns if column.twin} <= set(names)
    assert entry.docs_url.startswith("https://developer.invoiced.com/api")


@each_table
def test_the_parent_s_id_is_always_read(entry: Table) -> None:
    if entry.parent is None:
        return
    assert entry.parent.column in entry.always_read
    assert f"{{{entry.parent.column}}}" in entry.path
    assert "{" not in entry.path_of(7)
    (key,) = (key for key in entry.foreign_keys if key.column == entry.parent.column)
    assert (key.table, key.cascades) == (entry.parent.table, True)


def test_paths_of_single_parents() -> None:
    assert table("contacts").path_of(7) == "/customers/7/contacts"
    assert table("payment_plans").path_of(12) == "/invoices/12/payment_plan"


def test_personal_and_payment_data_is_marked() -> None:
    marked = {
        (entry.name, column.name)
        for entry in OPTIONAL_TABLES
        for column in entry.columns
        if column.sensitive
    }
    assert {("contacts", name) for name in ("name", "email", "phone", "address1")} < marked
    assert {("payment_sources", name) for name in ("last4", "routing_number")} < marked
    assert ("events", "user") in marked
