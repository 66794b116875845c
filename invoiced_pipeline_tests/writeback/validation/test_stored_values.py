"""Plan, drift and look-ups compare values by one rule: as the API stores them."""

from decimal import Decimal
from typing import Any

import pytest

from invoiced_pipeline.catalog.operations import OPERATIONS, Field
from invoiced_pipeline.writeback.recovery.digests import digest
from invoiced_pipeline.writeback.source.instants import Instant
from invoiced_pipeline.writeback.validation.diff import is_same

FIELDS = {(f.name, f.type): f for each in OPERATIONS for f in each.fields}
TYPES = {field.type: field for field in FIELDS.values()}

SAME: dict[str, list[tuple[Any, Any]]] = {
    "text": [("Acme", " Acme\t"), (None, ""), (None, " \n")],
    "email": [("a@example.com", " A@Example.com ")],
    "currency": [("usd", " USD")],
    "country": [("US", "us ")],
    "choice": [("manual", "manual ")],
    "token": [("tok_1", " tok_1")],
    "number": [(Decimal("1.50"), Decimal("1.5")), (Decimal("10.00"), 10), (10.5, Decimal("10.50"))],
    "integer": [(7, Decimal("7.0"))],
    "timestamp": [(1_767_225_600, Decimal(1_767_225_600)), (1_767_225_600, Instant(1_767_225_600))],
    "boolean": [(True, True), (False, False)],
    "metadata": [
        ({"a": "1", "b": "x", "c": "1"}, {"a": 1, "b": " x ", "c": True}),
        ({"a": "1.5"}, {"a": Decimal("1.50")}),
    ],
    "object": [
        ({"name": "x", "n": 1}, {"name": " x", "n": Decimal("1.0")}),
        ({"name": None}, {"name": ""}),
    ],
    "array": [
        (["a", "b"], ["a ", "\nb"]),
        ([{"name": "x", "n": 1.5}], [{"name": "x ", "n": Decimal("1.50")}]),
    ],
    "any": [("x", "x\u00a0"), ([1], [Decimal("1.0")])],
}
"""By type of field: values as the API shows them, and values that it stores in the same way."""


def test_every_type_of_the_catalog_has_an_example() -> None:
    assert set(TYPES) <= set(SAME)


@pytest.mark.parametrize(("name", "kind"), sorted(FIELDS))
def test_plan_and_look_up_agree_on_what_is_the_same(name: str, kind: str) -> None:
    field = FIELDS[name, kind]
    for before, after in SAME[kind]:
        assert is_same(field, before, after)
        assert is_same(field, after, before)
        assert digest(name, before) == digest(name, after)


@pytest.mark.parametrize("empty", [None, "", " ", "\n"])
def test_a_blank_text_is_the_same_as_null(empty: str | None) -> None:
    field = Field(name="notes", type="text", description="")
    assert is_same(field, None, empty)
    assert digest("notes", empty) == digest("notes", None)


@pytest.mark.parametrize(
    ("name", "kind", "before", "after"),
    [
        ("name", "text", "Acme", "ACME"),
        ("name", "text", "A B", "A  B"),
        ("metadata", "metadata", {"a": "1"}, {"a": "2"}),
        ("metadata", "metadata", {"a": "1"}, {"a": "1", "b": "1"}),
        ("amount", "number", 1, Decimal("1.01")),
        ("active", "boolean", True, False),
    ],
)
def test_plan_and_look_up_agree_on_what_differs(
    name: str, kind: Any, before: Any, after: Any
) -> None:
    assert not is_same(Field(name=name, type=kind, description=""), before, after)
    assert digest(name, before) != digest(name, after)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("name", " Acme ", "8d4f6c2a5c4e4b94"),
        ("email", " A@b.C", "a6aef3a5b0b7d07c"),
        ("country", "us", "b5e86cefc9cfb8c9"),
        ("metadata", {"a": 1, "b": True, "c": "x"}, "87d5fda8fbaba94c"),
        ("items", [{"name": " x", "quantity": Decimal("1.0")}], "ad185e0891b0d71d"),
        ("customer", {"id": 7, "name": "x"}, "7902699be42c8a8e"),
        ("amount", 1.5, "9f29a130438b8117"),
        ("notes", " ", "74234e98afe7498f"),
    ],
)
def test_digests_of_older_ledgers_still_match(name: str, value: Any, expected: str) -> None:
    assert digest(name, value) == expected
