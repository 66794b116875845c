"""Warnings about a row, for a person to check before a push; they never stop the row."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from invoiced_pipeline.catalog.operations import Field
from invoiced_pipeline.writeback.source.instants import Instant
from invoiced_pipeline.writeback.source.quoted_values import quoted

_FLOAT = re.compile(r"[0-9]+\.0+|[0-9]+\.[0-9]+[eE][+-]?[0-9]+|[0-9]+[eE]\+[0-9]+", re.ASCII)
_NOT_A_NUMBER = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


def value_warnings(fields: Iterable[Field], values: Mapping[str, Any]) -> Iterator[str]:
    """Yields warnings about the values of a body or a path, each starting with the field's name.

    Args:
        fields: The operation's fields; values of others count as text.
        values: Values in the types of their fields.
    """
    by_name = {each.name: each for each in fields}
    for name, value in values.items():
        yield from _warnings(by_name.get(name), value, name)


def key_warning(column: str, record_key: str) -> str | None:
    """Returns the warning about a record key; None if there is none."""
    return _text_warning(record_key, f"the key column {column}")


def _warnings(field: Field | None, value: Any, place: str) -> Iterator[str]:
    if isinstance(value, Mapping):
        inside = {each.name: each for each in field.elements} if field is not None else {}
        for name, item in value.items():
            yield from _warnings(inside.get(name), item, f"{place}.{name}")
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _warnings(field, item, f"{place}[{number}]")
    elif isinstance(value, Instant) and value.written is not None:
        yield f"{place}: {value.written} was read as {value.shown}"
    elif isinstance(value, str) and (warning := _text_warning(value, place)):
        yield warning


def _text_warning(text: str, place: str) -> str | None:
    if _FLOAT.fullmatch(text):
        return (
            f"{place}: {quoted(text)} looks like a floating-point number, and is sent as "
            "this text. If it is an identifier, export it as text"
        )
    if _NOT_A_NUMBER.fullmatch(text):
        return f"{place}: {quoted(text)} is sent as this text; leave a missing value empty"
    return None
