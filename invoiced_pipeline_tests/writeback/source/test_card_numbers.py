"""Card numbers in text are found however they are written, and other numbers are let through."""

from itertools import product

import pytest

from invoiced_pipeline.writeback.source.card_numbers import is_card
from invoiced_pipeline.writeback.source.payment_data import (
    looks_like_payment_data,
    without_payment_data,
)
from invoiced_pipeline_tests.writeback.source.number_lists import (
    AMONG_NUMBERS,
    EMBEDDINGS,
    NO_CARDS,
    NUMBERS,
    SEPARATORS,
    TEST_CARDS,
    check_digit,
    groupings,
    refused,
)

COUNT = 20_000
"""As in docs/card-numbers.md: a rate of a few in 20,000 needs a sample of this size."""


@pytest.mark.parametrize("kind", NO_CARDS)
def test_other_numbers_are_refused_in_fewer_than_one_of_a_thousand_texts(kind: str) -> None:
    found = refused(NO_CARDS[kind], COUNT)
    assert len(found) * 1000 < COUNT, found


@pytest.mark.parametrize("kind", NUMBERS)
def test_no_test_card_and_no_iban_is_let_through(kind: str) -> None:
    assert len(refused(NUMBERS[kind], COUNT)) == COUNT


@pytest.mark.parametrize("separator", SEPARATORS)
def test_any_separator_of_the_digits(separator: str) -> None:
    for digits in TEST_CARDS:
        for parts in groupings(digits):
            written = separator.join(parts)
            text = f"paid with {written}, thanks"
            assert looks_like_payment_data(text), ascii(text)
            hidden = without_payment_data(text)
            assert hidden == "paid with (hidden), thanks", ascii(hidden)


def test_no_test_card_in_an_issuers_groups_is_let_through_beside_other_numbers() -> None:
    for template, separator in product((*EMBEDDINGS, *AMONG_NUMBERS), SEPARATORS):
        for digits, size in product(TEST_CARDS, (4, len(TEST_CARDS[-1]))):
            parts = [digits[at : at + size] for at in range(0, len(digits), size)]
            text = template.format(separator.join(parts))
            assert looks_like_payment_data(text), ascii(text)


@pytest.mark.parametrize(
    "text", ["order 12 42 42 42 42 42 42 42 42", "7\n4\n" + "2\n4\n" * 7 + "2"]
)
def test_the_limit_groups_of_one_size_beside_another_of_that_size(text: str) -> None:
    """A documented limit: such a row of groups is not recognised as a card."""
    assert not looks_like_payment_data(text)


@pytest.mark.parametrize("zero", ["\uff10", "\u0660", "\u0966", "\U0001d7ce"])
def test_digits_of_other_scripts(zero: str) -> None:
    for digits in TEST_CARDS:
        assert looks_like_payment_data("".join(chr(ord(zero) + int(each)) for each in digits))


@pytest.mark.parametrize(
    ("prefix", "length", "issued"),
    [
        ("4", 16, True), ("4", 19, True), ("4", 13, False), ("4", 15, False), ("50", 16, False),
        ("51", 16, True), ("55", 16, True), ("56", 16, False), ("2220", 16, False),
        ("2221", 16, True), ("2720", 16, True), ("2721", 16, False), ("34", 15, True),
        ("35", 15, False), ("37", 15, True), ("34", 16, False), ("6011", 16, True),
        ("622125", 16, False), ("622126", 16, True), ("622925", 16, True), ("622926", 16, False),
        ("643", 16, False), ("644", 16, True), ("649", 16, True), ("65", 16, True),
        ("3527", 16, False), ("3528", 16, True), ("3589", 16, True), ("3590", 16, False),
        ("300", 14, True), ("305", 14, True), ("306", 14, False), ("36", 14, True),
        ("37", 14, False), ("38", 14, True), ("39", 14, True), ("1", 16, False), ("9", 16, False),
    ],
)  # fmt: skip
def test_issuers(prefix: str, length: int, issued: bool) -> None:
    digits = check_digit((prefix + "1234567890123456789")[: length - 1])
    wrong = digits[:-1] + str((int(digits[-1]) + 1) % 10)
    assert is_card(digits) is issued
    assert looks_like_payment_data(digits) is issued
    assert not looks_like_payment_data(wrong)


@pytest.mark.parametrize(
    "text",
    [
        "9.995999999999999", "0.4242424242424242", "2026-10-20 to 2026-11-07", "20261020-20261107",
        "14242424242424242", "42424242424242421", "35 209900 176148 1", "+1 (415) 555-2671",
        "21 00000 00003 13947 14300 09017", "RF18 5390 0754 7034", "4242424242424241",
    ],
)  # fmt: skip
def test_other_numbers_are_not_cards(text: str) -> None:
    assert not looks_like_payment_data(text)


def test_a_reference_that_contains_a_cards_groups() -> None:
    number = "42424242424242421"
    check = 98 - int(number + "271500") % 97
    assert not looks_like_payment_data(f"RF{check:02d} 4242 4242 4242 4242 1")
    assert looks_like_payment_data(f"RF{(check + 1) % 97:02d} 4242 4242 4242 4242 1")
