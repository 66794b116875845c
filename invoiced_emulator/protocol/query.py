"""Parses query strings and form bodies as the API's PHP server does: brackets nest."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import parse_qsl

_LEADING_INTEGER = re.compile(r"\s*([+-]?\d{1,18})")
_BRACKETS = re.compile(r"\[([^\]]*)\]")


def parse(text: str) -> dict[str, Any]:
    """Returns the parameters; `a[b]=1` becomes a dict and `a[]=1` a list."""
    values: dict[str, Any] = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        head, bracket, _ = name.partition("[")
        path = _BRACKETS.findall(name[len(head) :]) if bracket else []
        _put(values, [head, *path], value)
    return {name: _listed(value) for name, value in values.items()}


def integer(value: object) -> int | None:
    """Returns the leading digits of a parameter as an integer; None without digits."""
    match = _LEADING_INTEGER.match(str(value)) if isinstance(value, str | int) else None
    return int(match[1]) if match else None


def names(value: object) -> tuple[str, ...]:
    """Returns the names in a comma-separated parameter such as `include`."""
    if not isinstance(value, str):
        return ()
    return tuple(name.strip() for name in value.split(",") if name.strip())


def flat(values: dict[str, Any]) -> Iterable[tuple[str, str]]:
    """Yields nested parameters as (name, value) pairs, without None."""
    for name, value in values.items():
        yield from _flat(name, value)


def _flat(name: str, value: Any) -> Iterable[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(f"{name}[{key}]", item)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _flat(f"{name}[{index}]", item)
    elif value is not None:
        yield name, str(value)


def _put(values: dict[str, Any], path: list[str], value: str) -> None:
    for name in path[:-1]:
        inner = values.get(_key(values, name))
        if not isinstance(inner, dict):
            inner = values[_key(values, name)] = {}
        values = inner
    values[_key(values, path[-1])] = value


def _key(values: dict[str, Any], name: str) -> str:
    return name if name else str(len(values))


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    items = {name: _listed(item) for name, item in value.items()}
    if items and list(items) == [str(index) for index in range(len(items))]:
        return list(items.values())
    return items
