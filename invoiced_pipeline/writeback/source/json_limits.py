"""Values that cannot be sent as JSON: NaN, infinity, damaged text, huge numbers, deep nesting."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from invoiced_pipeline.writeback.source.problem import Problem
from invoiced_pipeline.writeback.source.values import Unreadable

_DEEPEST = 60
_LARGEST_EXPONENT = 330
"""Of a number: slightly more than binary floating-point numbers have."""


def json_problem(value: Any, place: str) -> Problem | None:
    """Returns why a value cannot be sent as JSON; None if it can.

    Args:
        value: A plain value.
        place: Its path in the body, such as `items[0].quantity`.
    """
    reason = _first(value, place, 0)
    return None if reason is None else Problem(reason, place.partition(".")[0].partition("[")[0])


def _first(value: Any, place: str, depth: int) -> str | None:
    if depth > _DEEPEST:
        return f"{place[:80]} is nested more than {_DEEPEST} levels deep, and cannot be sent"
    if isinstance(value, Mapping):
        for name, item in value.items():
            reason = _text_reason(str(name), f"a name in {place}")
            reason = reason or _first(item, f"{place}.{name}", depth + 1)
            if reason:
                return reason
        return None
    if isinstance(value, list):
        found = (_first(item, f"{place}[{n}]", depth + 1) for n, item in enumerate(value))
        return next(filter(None, found), None)
    return _scalar_reason(value, place)


def _scalar_reason(value: Any, place: str) -> str | None:
    if isinstance(value, Unreadable):
        return f"{place} {value.reason}"
    if isinstance(value, str):
        return _text_reason(value, place)
    if isinstance(value, Decimal) and not value.is_finite():
        return (
            f"{place} is {value}, which is not a number that can be sent. If it means that "
            "there is no value, select NULL instead"
        )
    is_huge = isinstance(value, int) and value.bit_length() > 3 * _LARGEST_EXPONENT
    if is_huge or (isinstance(value, Decimal) and value and _magnitude(value) > _LARGEST_EXPONENT):
        return f"{place} is a number with more than 300 digits, and cannot be sent"
    return None


def _magnitude(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return max(abs(value.adjusted()), abs(int(exponent)))


def _text_reason(text: str, place: str) -> str | None:
    try:
        text.encode()
    except UnicodeEncodeError:
        return (
            f"{ascii(place)[1:-1]} holds half of a surrogate pair, which is not valid Unicode: "
            "its text was damaged before it came here"
        )
    return None
