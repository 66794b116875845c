"""NDJSON files: one object per line, with exact numbers; a bad line spoils only its own row."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.warehouse.files.text import read_text

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_KINDS: Mapping[type, str] = {
    list: "an array",
    str: "a text",
    bool: "a boolean",
    int: "a number",
    Decimal: "a number",
    type(None): "null",
}


@dataclass(slots=True)
class Objects:
    """The lines of a file.

    Attributes:
        objects: One per line; empty if the line holds no object.
        lines: The number of each line, from 1.
        problems: What is wrong with a line, by its position in `objects`.
        skipped: Blank lines left out.
    """

    objects: list[Mapping[str, Any]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    problems: dict[int, str] = field(default_factory=dict)
    skipped: int = 0

    @property
    def columns(self) -> tuple[str, ...]:
        """All names, in the order of first appearance."""
        return tuple(dict.fromkeys(name for each in self.objects for name in each))


class _NoJsonError(ValueError):
    """A line is no JSON; the text is the reason."""


def read_ndjson(path: Path, encoding: str) -> Objects:
    """Returns all lines of a file, in its order.

    Raises:
        WarehouseError: It is in another encoding, or holds no object at all.
    """
    found = Objects()
    text = read_text(path, encoding).removesuffix("\n")
    # Only a line feed ends a line: JSON may contain Unicode's other line ends.
    for number, line in enumerate(text.split("\n") if text else (), start=1):
        if not line.strip():
            found.skipped += 1
            continue
        value, problem = _object(line)
        if problem is not None:
            place = f"line {number} of {path.name}"
            found.problems[len(found.objects)] = f"{place} {problem}. Each line is one object"
        found.objects.append(value)
        found.lines.append(number)
    if found.problems and not found.columns:
        message = f"no line of it is an object: {found.problems[min(found.problems)]}"
        raise WarehouseError(message)
    return found


def as_text(value: Any) -> str | None:
    """Returns a value for SQL expressions: a text as it is, anything else as JSON."""
    return value if value is None or isinstance(value, str) else _ENCODER.encode(value).decode()


def _object(line: str) -> tuple[Mapping[str, Any], str | None]:
    try:
        value = json.loads(
            line, parse_float=Decimal, parse_constant=_refuse, object_pairs_hook=_pairs
        )
        # A lone half of a surrogate pair cannot be written as UTF-8.
        json.dumps(value, ensure_ascii=False, default=str).encode()
    except _NoJsonError as error:
        return {}, str(error)
    except RecursionError:
        return {}, "is nested too deeply"
    except UnicodeEncodeError:
        return {}, "has an escape \\u that is no character"
    except ValueError as error:
        place = f" (column {error.colno})" if isinstance(error, json.JSONDecodeError) else ""
        return {}, f"is no JSON{place}"
    if not isinstance(value, dict):
        return {}, f"is {_KINDS[type(value)]}, and no object"
    return value, None


def _refuse(name: str) -> Any:
    message = f"holds {name}, which is no number of JSON"
    raise _NoJsonError(message)


def _pairs(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        message = "names a field twice"
        raise _NoJsonError(message)
    return found
