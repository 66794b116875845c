"""Numbers in text, with a decimal point or a decimal comma as the settings declare."""

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any, Literal

from invoiced_pipeline.catalog.operations import Field

Notation = Literal[".", ","]

NUMERIC = frozenset({"number", "integer"})

_POINT = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,2})?", re.ASCII)
_COMMA = re.compile(r"[+-]?([0-9]{1,3}(\.[0-9]{3})+|[0-9]+)(,[0-9]+)?", re.ASCII)
_POINT_THOUSANDS = re.compile(r"[+-]?[0-9]{1,3}(,[0-9]{3})+\.[0-9]+", re.ASCII)


def number_of(text: str, notation: Notation = ".") -> Decimal | None:
    """Reads the number in a text; returns None if it is not a number, or could be one of two.

    Digits are ASCII. With a decimal point, an exponent may follow, as databases print it. With a
    decimal comma, points group the digits by three.
    """
    if notation == ".":
        return Decimal(text) if _POINT.fullmatch(text) else None
    if not _COMMA.fullmatch(text):
        return None
    return Decimal(text.replace(".", "").replace(",", "."))


def is_mixed(texts: Iterable[str], notation: Notation) -> bool:
    """Whether a column has numbers in both notations: then 1.500 could be 1500 or one and a half.

    Numbers without a separator fit both.
    """
    separated = {text for text in texts if "," in text or "." in text}
    own = {text for text in separated if number_of(text, notation) is not None}
    return bool(own) and any(_is_other(text, notation) for text in separated - own)


def _is_other(text: str, notation: Notation) -> bool:
    """Whether a text that is not a number in `notation` is a number in the other one."""
    if notation == ".":
        return number_of(text, ",") is not None
    return number_of(text) is not None or _POINT_THOUSANDS.fullmatch(text) is not None


def numeric_texts(value: Any, field: Field, path: str = "") -> Iterator[tuple[str, str]]:
    """Yields the texts in numeric fields of a value, each with its path inside the value.

    The elements of an array share a path: they are one column.
    """
    if isinstance(value, str):
        if field.type in NUMERIC and value.strip():
            yield path, value.strip()
    elif isinstance(value, list):
        for item in value:
            yield from numeric_texts(item, field, path)
    elif isinstance(value, Mapping):
        for each in field.elements:
            if each.name in value:
                yield from numeric_texts(value[each.name], each, f"{path}.{each.name}")
