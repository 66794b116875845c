"""What the tap makes of a value, one named rule per difference to the warehouse.

Types alone decide which rule a column comes under; every value of the column must then be exactly
what that rule makes of ours.
"""

import json
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from invoiced_pipeline.catalog import Column

Value = Any
FLOORED = frozenset({"created_at", "updated_at"})
_EPOCH = "1970-01-01T00:00:00.000000Z"


def same(value: Value) -> Value:
    """No difference: ids, texts, and instants as singer writes them."""
    return value


def a_null_boolean_becomes_false(value: Value) -> Value:
    """`boolean`: singer tries Python's `bool` before it tries null."""
    return bool(value)


def amounts_go_through_a_double(value: Value) -> Value:
    """`number`, and numbers in arrays and objects: Python's float, about 16 digits."""
    if isinstance(value, Decimal):
        return Decimal(repr(float(value)))
    if isinstance(value, list):
        return [amounts_go_through_a_double(each) for each in value]
    if isinstance(value, dict):
        return {name: amounts_go_through_a_double(each) for name, each in value.items()}
    return value


def fractions_of_a_quantity_are_cut_off(value: Value) -> Value:
    """`integer` for a field that holds fractions."""
    return value if value is None else int(value)


def an_amount_becomes_text(value: Value) -> Value:
    """`string` for an amount: Python's text of an int or a float."""
    if value is None:
        return None
    return str(int(value) if value == value.to_integral_value() else float(value))


def times_before_1970_become_1970(value: Value) -> Value:
    """`max(0, ...)` on `created_at` and `updated_at`."""
    if isinstance(value, str):
        return max(value, _EPOCH)
    return value if value is None else max(value, 0)


Rule = Callable[[Value], Value]
RULES: dict[tuple[str, str], Rule] = {
    ("bigint", "integer"): same,
    ("boolean", "boolean"): a_null_boolean_becomes_false,
    ("text", "string"): same,
    ("timestamp", "date-time"): same,
    ("decimal", "number"): amounts_go_through_a_double,
    ("decimal", "integer"): fractions_of_a_quantity_are_cut_off,
    ("decimal", "string"): an_amount_becomes_text,
    ("json", "array"): amounts_go_through_a_double,
    ("json", "object"): amounts_go_through_a_double,
}
"""By the type of our column and the type in the tap's schema."""

LOSSY = frozenset(
    rule.__name__ for rule in {*RULES.values(), times_before_1970_become_1970} - {same}
)
"""Names of the rules by which a value may differ."""


def rule_of(column: Column, schema: dict[str, Any]) -> Rule:
    """The rule that a column comes under; KeyError for a pair of types that none covers."""
    if column.name in FLOORED:
        return times_before_1970_become_1970
    (kind,) = [each for each in schema["type"] if each != "null"]
    return RULES[column.type, schema.get("format", kind)]


def in_singers_notation(column: Column, value: Value) -> Value:
    """A value of the warehouse written as singer writes it, nothing lost."""
    if isinstance(value, datetime):
        return value.isoformat(timespec="microseconds").replace("+00:00", "Z")
    if column.type == "json" and value is not None:
        # Whole numbers stay whole: the tap's parser takes them for ints of any size.
        return json.loads(value, parse_float=Decimal)
    return value


def comparable(value: Value) -> Value:
    """Tells `true` from 1 and `"1"` from 1, but not 57 from 57.0."""
    if isinstance(value, list):
        return [comparable(each) for each in value]
    if isinstance(value, dict):
        return {name: comparable(each) for name, each in value.items()}
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        return "number", Decimal(value)
    return type(value), value
