"""Numbers in text: with a decimal point or with a decimal comma, as the settings say."""

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
    """The number that a text certainly is; None where it is none, or could be two.

    Digits are ASCII. A point may be followed by an exponent, as databases print it. With a comma,
    points group the digits by three.
    """
    if notation == ".":
        return Decimal(text) if _POINT.fullmatch(text) else None
    if not _COMMA.fullmatch(text):
        return None
    return Decimal(text.replace(".", "").replace(",", "."))


def is_mixed(texts: Iterable[str], notation: Notation) -> bool:
    """Whether a column has numbers of both notations: then 1.500 could be 1500 or one and a half.

    Numbers without a separator say nothing.
    """
    separated = {text for text in texts if "," in text or "." in text}
    own = {text for text in separated if number_of(text, notation) is not None}
    return bool(own) and any(_is_other(text, notation) for text in separated - own)


def _is_other(text: str, notation: Notation) -> bool:
    """Whether a text that is no number in `notation` is one in the other."""
    if notation == ".":
        return number_of(text, ",") is not None
    return number_of(text) is not None or _POINT_THOUSANDS.fullmatch(text) is not None


def numeric_texts(value: Any, field: Field, path: str = "") -> Iterator[tuple[str, str]]:
    """The texts that a value holds where numbers belong, each with its path inside of it.

    Elements of an array share a path: they are one column.
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
