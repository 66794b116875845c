"""What may be kept of a record with clear values in any place."""

import hashlib
import json
from typing import Any

import pytest

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.selection.privacy import DROPPED, Privacy, privacy_of
from invoiced_pipeline.settings import Settings

SALT = "pepper"
EMAIL = "jane@acme.example"


def privacy(secrets: Any = None, **tables: Any) -> Privacy:
    known = {"INVOICED_HASH_SALT": SALT} if secrets is None else secrets
    settings = Settings.model_validate({"connection": [{"tables": tables}], "secrets": known})
    return privacy_of(settings.first, settings.hash_salt)


def hashed(text: str) -> str:
    return hashlib.sha256((SALT + text).encode()).hexdigest()


def redacted(rules: Privacy, table: str, **record: Any) -> Any:
    return json.loads(rules.redact(table, json.dumps(record)))


RULES = privacy(customers={"hash": ["email"], "drop": ["tax_id", "name"], "exclude": ["notes"]})


def test_a_hash_is_sha256_of_salt_and_text() -> None:
    assert RULES.hashed(EMAIL) == hashed(EMAIL)
    assert redacted(RULES, "customers", id=1, email=EMAIL) == {"id": 1, "email": hashed(EMAIL)}
    assert redacted(RULES, "customers", email="") == {"email": hashed("")}


def test_null_stays_null() -> None:
    assert redacted(RULES, "customers", email=None, tax_id=None) == {"email": None, "tax_id": None}


def test_dropped_and_excluded_columns_are_null() -> None:
    kept = redacted(RULES, "customers", tax_id="DE123", notes="call", phone="555")
    assert kept == {"tax_id": None, "notes": None, "phone": "555"}


@pytest.mark.parametrize(
    ("table", "record", "kept"),
    [
        # A card of a customer, in any place.
        ("customers", {"payment_source": {"receipt_email": EMAIL}}, hashed(EMAIL)),
        ("invoices", {"payment_source": {"receipt_email": EMAIL}}, hashed(EMAIL)),
        ("payments", {"charge": {"payment_source": {"receipt_email": EMAIL}}}, hashed(EMAIL)),
        ("payments", {"charge": {"payment_source": {"account_holder_name": "Jane"}}}, None),
        ("invoices", {"ship_to": {"name": "Jane Doe"}}, None),
        # Fields that nobody declared.
        ("invoices", {"contact": {"email": EMAIL}}, hashed(EMAIL)),
        ("invoices", {"email": EMAIL}, hashed(EMAIL)),
        ("contacts", {"email": EMAIL}, hashed(EMAIL)),
        # Custom fields of the table itself.
        ("customers", {"metadata": {"email": EMAIL}}, hashed(EMAIL)),
    ],
)
def test_by_name_in_objects_that_tell_of_people(
    table: str, record: dict[str, Any], kept: Any
) -> None:
    value = redacted(RULES, table, **record)
    while isinstance(value, dict):
        (value,) = value.values()
    assert value == kept


@pytest.mark.parametrize(
    ("table", "record"),
    [
        ("invoices", {"name": "Invoice", "items": [{"name": "Hosting"}]}),
        ("customers", {"taxes": [{"name": "VAT"}]}),
        ("invoices", {"metadata": {"name": "Project"}}),
        ("customers", {"metadata": {"notes": "of a left out column, not a hidden one"}}),
    ],
)
def test_the_same_name_means_something_else_elsewhere(table: str, record: dict[str, Any]) -> None:
    assert redacted(RULES, table, **record) == record


def test_by_value_in_the_rest_of_its_record() -> None:
    kept = redacted(
        RULES,
        "customers",
        email=EMAIL,
        name="Jane/Doe é",
        attention_to=f"Jane <{EMAIL.upper()}>",
        metadata={"a": {"b": [f"{EMAIL}, jane/doe É"]}},
        statement_url="https://x/jane",
    )
    assert kept["attention_to"] == f"Jane <{hashed(EMAIL)}>"
    assert kept["metadata"] == {"a": {"b": [f"{hashed(EMAIL)}, {DROPPED}"]}}
    assert kept["statement_url"] == "https://x/jane"


def test_short_values_are_not_looked_for() -> None:
    rules = privacy(customers={"drop": ["state"]})
    kept = redacted(rules, "customers", state="TX", name="TXT Inc")
    assert kept == {"state": None, "name": "TXT Inc"}


def test_words_that_are_not_personal_are_not_looked_for() -> None:
    rules = privacy(customers={"hash": ["type", "number"]})
    kept = redacted(rules, "customers", type="company", number="CUST-17", name="Company CUST-17")
    assert kept["name"] == f"Company {hashed('CUST-17')}"


def test_what_was_sent_beside_what_came_back() -> None:
    drift = {"email": {"sent": EMAIL.upper(), "got": [EMAIL, None]}}
    kept = redacted(RULES, "customers", **drift)
    assert kept == {"email": {"sent": hashed(EMAIL.upper()), "got": [hashed(EMAIL), None]}}


def test_lists_numbers_and_what_is_no_json() -> None:
    numbers = '"credit_limit":1000000000000000.01,"x":12345678901234567890123'
    text = f'[{{"email":"{EMAIL}",{numbers}}}]'
    assert RULES.redact("customers", text) == text.replace(EMAIL, hashed(EMAIL))
    assert EMAIL not in RULES.redact("customers", f"<html>{EMAIL}")
    assert RULES.redact("customers", b"17") == "17"


def test_without_settings_everything_stays_as_it_came() -> None:
    for text in ('{"email": "jane@acme.example" }', "<html>"):
        assert privacy().redact("customers", text) == text


def test_salt_is_only_needed_for_hashes() -> None:
    assert privacy(secrets={}, customers={"drop": ["email"]}).treatments == {
        "customers": {"email": "dropped"}
    }
    with pytest.raises(ConfigurationError, match="set INVOICED_HASH_SALT in the environment"):
        privacy(secrets={}, customers={"hash": ["email"]})
