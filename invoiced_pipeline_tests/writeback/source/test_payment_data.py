"""Numbers of cards and bank accounts are found in every field, and never repeated."""

from decimal import Decimal
from typing import Any

import pytest

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.writeback.source.payment_data import (
    find_payment_data,
    hide_payment_data,
)
from invoiced_pipeline_tests.writeback.plans import plan_of, planned

CARD = "4242424242424242"


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"notes": CARD}, "notes"),
        ({"notes": "order 12 4242 4242 4242 4242"}, "notes"),
        ({"metadata": {"x": int(CARD)}}, "metadata.x"),
        ({"metadata": {"x": Decimal(f"{CARD}.0000000000")}}, "metadata.x"),
        ({"metadata": {"ref": [{"a": "378282246310005"}]}}, "metadata.ref[0].a"),
        ({"metadata": {CARD: 1}}, "metadata.(hidden)"),
        ({"notes": "DE89370400440532013000"}, "notes"),
        ({"notes": "iban DE89 3704 0044 0532 0130 00 for rent"}, "notes"),
        ({"notes": "gb82 west 1234 5698 7654 32"}, "notes"),
        ({"notes": "bank account 000123456789"}, "notes"),
        ({"notes": "routing number: 110000000"}, "notes"),
        ({"account_number": "000123456789"}, "account_number"),
        ({"metadata": {"bank_account_no": 12345678}}, "metadata.bank_account_no"),
        ({"card_number": "1"}, "card_number"),
        ({"cvc": "123"}, "cvc"),
    ],
)
def test_the_place_of_a_number_is_found(value: dict[str, Any], place: str) -> None:
    assert find_payment_data(value) == place
    assert find_payment_data(hide_payment_data(value)) in {None, place}
    digits = [text for text in (CARD, "378282246310005", "000123456789") if text in str(value)]
    assert not [text for text in digits if text in str(hide_payment_data(value))]


@pytest.mark.parametrize(
    "value",
    [
        "4242424242424241",
        "2026-11-25 10:04:38",
        "+1 (415) 555-2671",
        "0000000000000000",
        "DE89370400440532013001",
        1_764_064_800,
        Decimal("1000000000000000.01"),
        {"accounting_id": "12345", "tax_id": "DE123456789"},
        {"account_number": None},
        True,
        "Account manager: Ann",
    ],
)
def test_other_texts_are_let_through(value: Any) -> None:
    assert find_payment_data(value) is None


@pytest.mark.parametrize(
    ("operation", "row", "param"),
    [
        ("create_customer", {"name": "A", "notes": f"card {CARD}"}, "notes"),
        ("create_customer", {"name": "A", "key": CARD}, "record key"),
        ("create_customer", {"name": "A", "metadata": {"x": CARD}}, "metadata"),
        ("create_customer", {"name": "A", "favourite": CARD}, "favourite"),
        ("attach_payment_source", {"customer": 1, "gateway_token": CARD}, "gateway_token"),
        ("attach_payment_source", {"customer": 1, "card_number": CARD}, "card_number"),
        ("create_invoice", {"customer": 1, "items": [{"name": CARD}]}, "items"),
        ("record_payment", {"amount": "4242 4242 4242 4242"}, "amount"),
        (
            "create_customer",
            {"name": "A", "payment_source": {"method": CARD, "gateway_token": "t"}},
            "payment_source",
        ),
        (
            "create_customer",
            {"name": "A", "payment_source": {"method": "credit_card", "gateway_token": CARD}},
            "payment_source.gateway_token",
        ),
    ],
)
def test_a_row_with_such_a_number_is_invalid_and_the_plan_does_not_repeat_it(
    database: Database, operation: str, row: dict[str, Any], param: str
) -> None:
    found = planned(database, operation, row)
    assert (found.action, found.reason_param) == ("invalid", param)
    assert "looks like" in (found.reason or "")
    assert CARD not in repr(found)


def test_a_token_may_hold_digits(database: Database) -> None:
    row = {"customer": 1, "gateway_token": f"tok_{CARD}"}
    assert planned(database, "attach_payment_source", row).action == "create"


@pytest.mark.parametrize(
    ("operation", "row"),
    [
        ("create_invoice", {"customer": 1, "items": [{"unit_cost": Decimal("9.995999999999999")}]}),
        ("create_invoice", {"customer": 1, "items": [{"name": "A", "quantity": int(CARD)}]}),
        ("create_invoice", {"customer": 1, "items": [{"name": "A", "unit_cost": float(CARD)}]}),
        ("create_invoice", {"customer": 1, "items": [{"unit_cost": "4242424242424242"}]}),
        ("create_customer", {"name": "A", "credit_limit": Decimal("4242424242424242.00")}),
        ("add_contact", {"customer": int(CARD), "name": "A"}),
        ("record_payment", {"amount": int(CARD)}),
        ("create_customer", {"name": "A", "metadata": {"rate": Decimal("9.995999999999999")}}),
    ],
)
def test_numbers_in_numeric_fields_are_never_cards(
    database: Database, operation: str, row: dict[str, Any]
) -> None:
    found = planned(database, operation, row, check_replica=False)
    assert (found.action, found.reason) == ("create", None)


@pytest.mark.parametrize(
    ("operation", "row", "name"),
    [
        ("record_payment", {"amount": 1, "reference": CARD}, "reference"),
        ("create_customer", {"name": "A", "metadata": {"ref": CARD}}, "metadata.ref"),
        ("create_customer", {"name": "A", "metadata": {CARD: "x"}}, "metadata"),
        (
            "create_invoice",
            {"customer": 1, "items": [{"description": CARD, "unit_cost": 1}]},
            "items.description",
        ),
        ("create_customer", {"name": "A", "key": CARD}, "key"),
    ],
)
def test_a_field_is_allowed_by_the_name_that_the_refusal_gives(
    database: Database, operation: str, row: dict[str, Any], name: str
) -> None:
    options: dict[str, Any] = {"check_replica": False}
    refused = planned(database, operation, row, **options)
    assert refused.action == "invalid"
    assert f'allow it: allow_numbers = ["{name}"]' in (refused.reason or "")
    plan = plan_of(database, operation, row, **options, allow_numbers=[name])
    (found,) = plan.rows
    assert (found.action, found.reason) == ("create", None)
    assert CARD in repr(found)
    assert any(f"allow_numbers: {name} may hold digits" in note for note in plan.notes)
    other = planned(database, operation, {**row, "notes": CARD}, **options, allow_numbers=[name])
    assert (other.action, other.reason_param) == ("invalid", "notes")


def test_a_key_is_allowed_with_the_field_that_its_column_fills(database: Database) -> None:
    found = planned(
        database,
        "record_payment",
        {"amount": 1, "key": CARD},
        exclude=[],
        mapping={"reference": "key"},
        allow_numbers=["reference"],
    )
    assert (found.action, found.record_key) == ("create", CARD)


@pytest.mark.parametrize(
    ("operation", "name"),
    [
        ("create_customer", "refrence"),
        ("create_customer", "credit_limit"),
        ("create_invoice", "items.unit_cost"),
        ("attach_payment_source", "gateway_token"),
        ("create_customer", "payment_source"),
    ],
)
def test_an_unknown_name_is_refused_with_the_possible_ones(
    database: Database, operation: str, name: str
) -> None:
    with pytest.raises(
        ConfigurationError, match=f"allow_numbers names '{name}'.* Possible names: "
    ):
        plan_of(database, operation, {"name": "A"}, allow_numbers=[name])


def test_a_token_that_is_a_card_cannot_be_allowed(database: Database) -> None:
    row = {"customer": 1, "gateway_token": CARD}
    found = planned(database, "attach_payment_source", row, allow_numbers=["key"])
    assert (found.action, found.reason_param) == ("invalid", "gateway_token")
