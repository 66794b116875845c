"""The catalog against the published column contract, and against itself."""

import json
from pathlib import Path

import pytest

from invoiced_pipeline.catalog import TABLE_NAMES, TABLES, Column, Table, table

# Stitch's and Qlik's schema version 1, and the API reference for payments and credit balance
# adjustments: what a warehouse that moves over to this project relies on.
CONTRACT: dict[str, dict[str, str]] = json.loads(
    (Path(__file__).parent / "published_contract.json").read_text(encoding="utf-8")
)

each_table = pytest.mark.parametrize("entry", TABLES, ids=TABLE_NAMES)


def _all_columns(entry: Table) -> list[Column]:
    return [*entry.columns, *(column for child in entry.children for column in child.columns)]


def test_tables_and_their_order() -> None:
    assert TABLE_NAMES == (
        "customers",
        "invoices",
        "credit_notes",
        "estimates",
        "subscriptions",
        "plans",
        "transactions",
        "payments",
        "credit_balance_adjustments",
        "items",
        "coupons",
        "tax_rates",
        "notes",
        "tasks",
        "charges",
        "refunds",
    )
    assert set(TABLE_NAMES[:9]) == set(CONTRACT)


def test_table_is_found_by_name() -> None:
    assert table("invoices").singular == "invoice"
    with pytest.raises(KeyError):
        table("invoice")


@each_table
def test_contract_columns_are_exactly_the_published_ones(entry: Table) -> None:
    marked = {column.name: column.type for column in entry.columns if column.contract}
    assert marked == CONTRACT.get(entry.name, {})


@each_table
def test_column_names_are_unique_and_lead_with_the_key(entry: Table) -> None:
    for columns in (entry.columns, *(child.columns for child in entry.children)):
        names = [column.name for column in columns]
        assert len(names) == len(set(names))
    assert entry.columns[0].name == entry.primary_key
    assert entry.column(entry.replication_key).name == "updated_at"


@each_table
def test_everything_is_described_in_sentences(entry: Table) -> None:
    described = [entry.description, *(child.description for child in entry.children)]
    described += [column.description for column in _all_columns(entry)]
    for description in described:
        assert description == description.strip()
        assert description.endswith(".")
        assert len(description.split()) > 1


@each_table
def test_foreign_keys_lead_to_a_key_of_the_same_type(entry: Table) -> None:
    for key in entry.foreign_keys:
        target = table(key.table)
        assert entry.column(key.column).type == target.column(target.primary_key).type


@each_table
def test_children_are_json_columns_of_their_parent(entry: Table) -> None:
    for child in entry.children:
        assert entry.column(child.array).type == "json"
        assert entry.child_name(child) == f"{entry.name}__{child.array}"
        taken = {entry.parent_column, "_index"}
        assert taken.isdisjoint(column.name for column in child.columns)


def test_child_tables() -> None:
    names = [entry.child_name(child) for entry in TABLES for child in entry.children]
    assert names == [
        "customers__taxes",
        *(
            f"{document}__{array}"
            for document in ("invoices", "credit_notes", "estimates")
            for array in ("items", "discounts", "taxes", "shipping")
        ),
        "subscriptions__addons",
        "subscriptions__discounts",
        "subscriptions__taxes",
        "plans__tiers",
        "payments__applied_to",
        "items__taxes",
    ]
    assert table("credit_notes").parent_column == "credit_note_id"


def test_how_each_table_is_listed() -> None:
    listings = {entry.name: entry.listing for entry in TABLES}
    versioned = {"plans", "items", "coupons", "tax_rates"}
    assert {name for name, listing in listings.items() if listing == "whole"} == versioned
    filtered = {name for name, listing in listings.items() if listing == "filtered"}
    assert filtered == {"tasks", "charges", "refunds"}
    assert listings.pop("credit_balance_adjustments") == "newest_first"
    assert set(listings.values()) == {"windowed", "whole", "filtered"}
    assert {entry.name: entry.list_params for entry in TABLES if entry.list_params} == {
        "subscriptions": (("all", "1"),),
        **dict.fromkeys(versioned, (("include", "archived,internal_id"),)),
        "payments": (("include", "applied_to"),),
        "credit_balance_adjustments": (("include", "updated_at"),),
    }
    variants = {entry.variants for entry in TABLES if entry.name in versioned}
    assert variants == {((("archived", "0"),), (("archived", "1"),))}
    assert {entry.name for entry in TABLES if entry.feature} == {"plans", "subscriptions"}
    without_ids = {entry.name for entry in TABLES if not entry.filters_by_id}
    assert without_ids == {*versioned, *filtered, "estimates", "notes"}
    assert {entry.name for entry in TABLES if not entry.has_record_path} == {"notes"}


def test_events_that_say_that_a_record_is_gone() -> None:
    assert {entry.name: entry.deletion_event for entry in TABLES if entry.deletion_event} == {
        "customers": "customer.deleted",
        "invoices": "invoice.deleted",
        "credit_notes": "credit_note.deleted",
        "estimates": "estimate.deleted",
        "transactions": "transaction.deleted",
        "credit_balance_adjustments": "transaction.deleted",
        "notes": "note.deleted",
        "tasks": "task.deleted",
    }


@each_table
def test_endpoint_and_reference(entry: Table) -> None:
    assert entry.path == f"/{entry.name}"
    assert entry.docs_url.startswith("https://developer.invoiced.com/api")


def test_personal_and_payment_data_is_marked() -> None:
    marked = {
        (entry.name, column.name)
        for entry in TABLES
        for column in entry.columns
        if column.sensitive
    }
    assert {("customers", name) for name in ("name", "email", "phone", "address1")} < marked
    assert {(name, "payment_source") for name in ("customers", "transactions")} < marked
    assert ("payments", "charge") in marked
    assert {("charges", "payment_source"), ("charges", "receipt_email")} < marked
    assert {("notes", "notes"), ("notes", "user")} < marked
    assert ("invoices", "total") not in marked
