"""`[[writeback]]`: accepted settings, and errors for wrong ones."""

from decimal import Decimal
from pathlib import Path

import pytest

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import (
    ConstantSettings,
    ExpressionSettings,
    ReferenceSettings,
    WritebackSettings,
    load_settings,
)

NEW_CUSTOMERS = """
[[writeback]]
name = "new_customers"
operation = "create_customer"
source = "select ext_id, name, email from read_csv('crm.csv')"
key = "ext_id"
"""
CUSTOM = NEW_CUSTOMERS.replace("create_customer", "custom")


def writebacks(folder: Path, toml: str) -> list[WritebackSettings]:
    (folder / "invoiced.toml").write_text(toml, encoding="utf-8")
    return load_settings({}, folder).writeback


def test_nothing_is_sent_until_the_user_says_so(tmp_path: Path) -> None:
    (writeback,) = writebacks(tmp_path, NEW_CUSTOMERS)
    assert not writeback.active
    assert not writeback.allow_deletes
    assert writeback.schedule is None
    assert not writeback.after_sync


def test_every_form_of_a_mapping(tmp_path: Path) -> None:
    toml = """
    mapping = { name = "company", currency = { value = "usd" }, autopay = false, \
credit_limit = 9.99, country = { sql = "upper(land)" }, parent_customer = "@groups[group_id].id", \
owner = "@groups.owner" }
    """
    _, (writeback) = writebacks(
        tmp_path, NEW_CUSTOMERS.replace("new_customers", "groups") + NEW_CUSTOMERS + toml
    )
    assert writeback.mapping == {
        "name": "company",
        "currency": ConstantSettings(value="usd"),
        "autopay": ConstantSettings(value=False),
        "credit_limit": ConstantSettings(value=Decimal("9.99")),
        "country": ExpressionSettings(sql="upper(land)"),
        "parent_customer": ReferenceSettings(writeback="groups", column="group_id"),
        "owner": ReferenceSettings(writeback="groups", field="owner"),
    }
    assert set(writeback.references) == {"parent_customer", "owner"}


@pytest.mark.parametrize(
    ("source", "is_file", "is_query"),
    [
        ("select 1 as a", False, True),
        ("WITH a as (select 1) select * from a", False, True),
        ("from read_csv('crm.csv')", False, True),
        ("crm.csv", True, False),
        ("data/my customers.parquet", True, False),
        ("staging.customers", False, False),
    ],
)
def test_kinds_of_source(tmp_path: Path, source: str, *, is_file: bool, is_query: bool) -> None:
    settings = WritebackSettings(name="a", operation="create_customer", source=source, key="ext_id")
    assert (settings.is_file, settings.is_query) == (is_file, is_query)


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        (NEW_CUSTOMERS + "actve = true", "unknown setting; valid settings are name, connection"),
        (NEW_CUSTOMERS.replace("create_c", "c"), "'create_customer', 'attach_payment_source'"),
        (NEW_CUSTOMERS * 2, "the name 'new_customers' is used twice"),
        (NEW_CUSTOMERS + "connection = 'x'", "no connection 'x'. There is: 'Invoiced'"),
        (NEW_CUSTOMERS + 'mapping = { name = "@x.id" }', "there is no write-back 'x'"),
        (NEW_CUSTOMERS + 'mapping = { name = "@new_customers.id" }', "lead back to itself"),
        (NEW_CUSTOMERS + 'mapping = { name = "@x" }', '"@<write-back>.id"'),
        (NEW_CUSTOMERS + 'mapping = { name = { colum = "x" } }', '{ value = "usd" }'),
        (NEW_CUSTOMERS + 'mapping = "x"', "writeback 'new_customers': mapping"),
        (NEW_CUSTOMERS + "batch_size = 3", "belong to operation = 'custom'"),
        (NEW_CUSTOMERS + "headers = { Authorization = 'x' }", "'Authorization' is not a header"),
        (NEW_CUSTOMERS + "response_url = 'ftp://x'", "https://host/path"),
        (NEW_CUSTOMERS + "max_records = -1", "greater than or equal to 0"),
        (NEW_CUSTOMERS + "schedule = 'x'", "[writeback.schedule]"),
        (NEW_CUSTOMERS + "[writeback.schedule]\nfrequency = '7s'", "whole hours from 1h to 24h"),
        (CUSTOM, "needs method and path"),
        (CUSTOM + "path = 'https://example.com/notes'", "needs method and path"),
        ("[writeback]\nname = 'x'", "[[writeback]]"),
    ],
)
def test_wrong_settings_are_refused(tmp_path: Path, toml: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        writebacks(tmp_path, toml)
    assert message in str(caught.value)
    assert "invoiced.toml: " in str(caught.value)
