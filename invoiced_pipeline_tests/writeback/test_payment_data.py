"""Numbers of cards and bank accounts are found wherever they hide, and never repeated."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.writeback.payment_data import (
    find_payment_data,
    hide_payment_data,
    looks_like_payment_data,
    without_payment_data,
)
from invoiced_pipeline_tests.writeback.plans import planned

CARD = "4242424242424242"


def luhn(digits: str) -> str:
    """The digits with their check digit."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) * (2 if place % 2 == 0 else 1)
        total += number - 9 if number > 9 else number
    return digits + str(-total % 10)


card_numbers = (
    st.integers(12, 18)
    .flatmap(lambda size: st.text("0123456789", min_size=size, max_size=size))
    .map(luhn)
    .filter(lambda digits: len(set(digits)) > 1)
)


@given(card_numbers, st.sampled_from(["", " ", "-", ".", "  "]), st.sampled_from([3, 4, 6]))
def test_every_card_number_is_found_in_a_text(digits: str, separator: str, size: int) -> None:
    groups = [digits[at : at + size] for at in range(0, len(digits), size)]
    written = separator.join(groups)
    text = f"paid with {written}, thanks"
    assert looks_like_payment_data(text)
    assert written not in without_payment_data(text)
    assert digits not in without_payment_data(text).replace(separator or "x", "")
    assert "thanks" in without_payment_data(text)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ({"notes": CARD}, "notes"),
        ({"notes": "order 12 4242 4242 4242 4242"}, "notes"),
        ({"amount": int(CARD)}, "amount"),
        ({"amount": Decimal(f"{CARD}.0000000000")}, "amount"),
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
def test_places(value: dict[str, Any], place: str) -> None:
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
def test_what_is_none(value: Any) -> None:
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
        ("attach_payment_source", {"customer": CARD, "gateway_token": "t"}, "customer"),
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
def test_a_row_with_one_is_refused_and_the_plan_does_not_repeat_it(
    database: Database, operation: str, row: dict[str, Any], param: str
) -> None:
    found = planned(database, operation, row)
    assert (found.action, found.reason_param) == ("invalid", param)
    assert "looks like" in (found.reason or "")
    assert CARD not in repr(found)


def test_a_token_may_hold_digits(database: Database) -> None:
    row = {"customer": 1, "gateway_token": f"tok_{CARD}"}
    assert planned(database, "attach_payment_source", row).action == "create"
