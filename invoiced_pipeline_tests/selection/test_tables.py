"""A connection's tables, from the catalog and its settings."""

from pathlib import Path

import pytest

from invoiced_pipeline.catalog import (
    ALL_TABLES,
    OPTIONAL_TABLE_NAMES,
    TABLE_NAMES,
    TABLES,
    Table,
)
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.replication.checks import checks_of
from invoiced_pipeline.selection.tables import all_tables_of, tables_of
from invoiced_pipeline.settings import Settings, load_settings


def settings(folder: Path, toml: str) -> Settings:
    (folder / "invoiced.toml").write_text(f"[[connection]]\n{toml}", encoding="utf-8")
    return load_settings({}, folder)


def selected(folder: Path, toml: str) -> dict[str, Table]:
    read = settings(folder, toml)
    return {table.name: table for table in tables_of(read, read.connection[0])}


def treatments(table: Table) -> dict[str, str]:
    return {column.name: column.treatment for column in table.columns if column.treatment != "kept"}


def test_all_is_the_default(tmp_path: Path) -> None:
    assert tuple(selected(tmp_path, "").values()) == TABLES


def test_tables_by_include_or_exclude(tmp_path: Path) -> None:
    included = selected(tmp_path, 'tables.include = ["invoices", "customers"]')
    assert list(included) == ["customers", "invoices"]
    excluded = selected(tmp_path, 'tables.exclude = ["transactions"]')
    assert list(excluded) == [name for name in TABLE_NAMES if name != "transactions"]


def test_columns_by_include_keep_what_is_needed(tmp_path: Path) -> None:
    table = selected(tmp_path, 'tables.transactions.include = ["amount"]')["transactions"]
    read = {column.name for column in table.columns if column.is_read}
    assert read == {"id", "updated_at", "amount", "customer", "payment"}


@pytest.mark.parametrize("entry", TABLES, ids=lambda entry: entry.name)
def test_required_columns_stay_when_excluded(entry: Table, tmp_path: Path) -> None:
    names = [column.name for column in entry.columns]
    table = selected(tmp_path, f"tables.{entry.name}.exclude = {names}")[entry.name]
    assert {column.name for column in table.columns if column.is_read} == entry.always_read
    assert {"id", "updated_at"} <= entry.always_read
    assert [column.name for column in table.columns] == names


def test_every_treatment(tmp_path: Path) -> None:
    toml = """
    tables.customers.exclude = ["notes"]
    tables.customers.hash = ["email"]
    tables.customers.drop = ["tax_id"]
    """
    table = selected(tmp_path, toml)["customers"]
    assert treatments(table) == {"notes": "excluded", "email": "hashed", "tax_id": "dropped"}
    assert all(table.column(name).sensitive for name in treatments(table))
    assert "SHA-256" in table.column("email").description


def test_a_hashed_column_need_not_be_included(tmp_path: Path) -> None:
    toml = 'tables.customers.include = ["name"]\ntables.customers.hash = ["email"]'
    assert selected(tmp_path, toml)["customers"].column("email").treatment == "hashed"


@pytest.mark.parametrize(
    ("toml", "left"),
    [
        ("tables.children = false", []),
        ("tables.invoices.children = false", []),
        ("tables.children = false\ntables.invoices.children = true", ["items", "discounts"]),
        ('tables.exclude = ["invoices__items"]', ["discounts"]),
        ('tables.invoices.exclude = ["items"]', ["discounts"]),
        ('tables.invoices.drop = ["items"]', ["discounts"]),
    ],
)
def test_child_tables_can_be_switched_off(toml: str, left: list[str], tmp_path: Path) -> None:
    table = selected(tmp_path, toml)["invoices"]
    arrays = [child.array for child in table.children]
    assert [name for name in ("items", "discounts") if name in arrays] == left


def test_method(tmp_path: Path) -> None:
    tables = selected(tmp_path, 'tables.plans.method = "full"')
    assert tables["plans"].method == "full"
    assert tables["invoices"].method == "incremental"


@pytest.mark.parametrize(
    ("toml", "names"),
    [
        ('tables.optional = ["contacts"]', [*TABLE_NAMES, "contacts"]),
        ('tables.optional = "contacts, events"', [*TABLE_NAMES, "events", "contacts"]),
        (f"tables.optional = {list(OPTIONAL_TABLE_NAMES)}", [*TABLE_NAMES, *OPTIONAL_TABLE_NAMES]),
        ('tables.include = ["customers", "contacts"]', ["customers", "contacts"]),
        (
            'tables.include = ["customers"]\ntables.optional = ["events"]',
            ["customers", "events"],
        ),
        ('tables.optional = ["events"]\ntables.exclude = ["events"]', list(TABLE_NAMES)),
    ],
)
def test_optional_tables_are_off_unless_named(tmp_path: Path, toml: str, names: list[str]) -> None:
    assert list(selected(tmp_path, toml)) == names


def test_a_variable_names_the_optional_tables_of_the_first_connection(tmp_path: Path) -> None:
    read = load_settings({"INVOICED_OPTIONAL_TABLES": "events, payment_plans"}, tmp_path)
    found = tables_of(read, read.connection[0])
    assert [table.name for table in found[len(TABLES) :]] == ["events", "payment_plans"]


def test_settings_of_a_table_that_is_left_out_still_hold_for_its_data(tmp_path: Path) -> None:
    toml = 'tables.exclude = ["customers"]\ntables.customers.hash = ["email"]'
    read = settings(tmp_path, toml)
    every = {table.name: table for table in all_tables_of(read.connection[0])}
    assert list(every) == [table.name for table in ALL_TABLES]
    assert every["customers"].column("email").treatment == "hashed"


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        ('tables.include = ["invoice"]', "tables.include: unknown table 'invoice'; the tables"),
        ('tables.exclude = ["x"]', "tables.exclude: unknown table 'x'; the tables are custom"),
        ('tables.include = ["invoices__items"]', "unknown table 'invoices__items'"),
        ("tables.contact.method = 'full'", "tables: unknown table 'contact'"),
        ('tables.optional = ["contact"]', "unknown optional table 'contact'; the optional tables"),
        ('tables.optional = ["plans"]', "tables.optional: unknown optional table 'plans'"),
        ("tables.plans.retention_days = 3", "tables.plans.retention_days: only events have"),
        (
            'tables.customers.hash = ["e_mail"]',
            "tables.customers.hash: unknown column 'e_mail'",
        ),
        ('tables.invoices.include = ["x"]', "the columns are id, object, customer"),
        ('tables.customers.hash = ["id"]', "tables.customers.hash: id is a key"),
        ('tables.plans.hash = ["id"]', "tables.plans.hash: id is a key"),
        ('tables.subscriptions.hash = ["plan"]', "plan is a key"),
        ('tables.payments.drop = ["customer"]', "tables.payments.drop: customer is a key"),
        ('tables.customers.drop = ["updated_at"]', "updated_at is a key"),
        ('tables.customers.hash = ["metadata"]', "metadata holds json, not text"),
        ('tables.customers.hash = ["credit_limit"]', 'use drop = ["credit_limit"]'),
        (f"tables.exclude = {list(TABLE_NAMES)}", "tables.exclude: no table is left"),
    ],
)
def test_what_cannot_be_is_named_with_what_can(toml: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as error:
        selected(tmp_path, toml)
    assert str(error.value).startswith("invoiced.toml: connection 'Invoiced': tables")
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("toml", "said"),
    [
        (
            'tables.include = ["plans"]\ntables.exclude = ["plans"]',
            "include and exclude cannot be combined",
        ),
        ("tables.include = []", "selects no table"),
        ('tables.plans.include = ["name"]\ntables.plans.exclude = ["name"]', "include and exclude"),
        ('tables.customers.hash = ["email"]\ntables.customers.drop = ["email"]', "email is in"),
        (
            'tables.customers.include = ["email"]\ntables.customers.drop = ["email"]',
            "include and drop",
        ),
        ('tables.customers.hash = "email"', 'accepted form is hash = ["...", "..."]'),
        ("tables.customers = 3", "accepted form is [connection.tables.customers]"),
        (
            "tables.customers.hide = 3",
            "valid settings are include, exclude, hash, drop, children, method",
        ),
        ('tables.plans.method = "all"', "'incremental' or 'full'"),
    ],
)
def test_contradictions_are_refused(toml: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError) as error:
        selected(tmp_path, toml)
    assert said in str(error.value)


ONLY_OF_CUSTOMERS = ("payments", "credit_balance_adjustments", "notes", "tasks")
"""Tables whose only foreign key that is checked leads to customers."""


@pytest.mark.parametrize(
    ("toml", "without"),
    [
        ("", {}),
        (
            'tables.exclude = ["customers"]',
            {key: {"foreign_keys"} for key in ONLY_OF_CUSTOMERS},
        ),
        ('tables.exclude = ["payments"]', {"invoices": {"balance"}}),
        (
            'tables.exclude = ["payments__applied_to"]',
            {"invoices": {"balance"}, "payments": {"balance"}},
        ),
        ('tables.transactions.exclude = ["status"]', {"invoices": {"balance"}}),
        ('tables.invoices.exclude = ["total"]', {"invoices": {"balance"}}),
        ('tables.invoices.hash = ["status"]', {"invoices": {"balance"}}),
        ('tables.invoices.exclude = ["notes", "customer"]', {}),
        ('tables.estimates.exclude = ["invoice"]', {}),
    ],
)
def test_a_check_without_both_tables_is_omitted(
    toml: str, without: dict[str, set[str]], tmp_path: Path
) -> None:
    every = {table.name: set(checks_of(table)) for table in TABLES}
    for name, table in selected(tmp_path, toml).items():
        missing = every[name] - set(checks_of(table))
        assert missing == without.get(name, set()), name


def test_only_the_key_whose_side_is_missing_is_not_checked(tmp_path: Path) -> None:
    table = selected(tmp_path, 'tables.estimates.exclude = ["invoice"]')["estimates"]
    assert {key.column: key.is_checked for key in table.foreign_keys} == {
        "customer": True,
        "invoice": False,
    }
