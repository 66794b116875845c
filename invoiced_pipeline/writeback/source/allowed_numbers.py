"""The setting `allow_numbers`, and which values are tested for card and bank numbers."""

import re
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from invoiced_pipeline.catalog.operations import Field, Operation
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import WritebackSettings
from invoiced_pipeline.writeback.source.payment_data import HIDDEN

_NUMERIC = frozenset({"number", "integer", "timestamp", "boolean"})
_INDEX = re.compile(r"\[\d+\]")
_OPEN = frozenset({"metadata", "any"})
"""Types of fields whose inner fields the catalog does not declare."""


def tested_values(
    fields: Iterable[Field], values: Mapping[str, Any], allowed: Iterable[str]
) -> dict[str, Any]:
    """Returns the values, with None in place of those that are not tested.

    Tokens, allowed fields, and numbers in numeric fields are not tested. Text in a numeric field
    is tested: its row is invalid anyway, and the reason may repeat the text.
    """
    return _tested({each.name: each for each in fields}, values, frozenset(allowed), "")


def check_allowed_numbers(settings: WritebackSettings, operation: Operation) -> None:
    """Checks the names of `allow_numbers`.

    Raises:
        ConfigurationError: A name is neither a text field of the operation nor the key column.
    """
    for name in settings.allow_numbers:
        if not can_be_allowed(settings, operation, name):
            names = ", ".join(_names(settings, operation))
            message = (
                f"Write-back {settings.name!r}: allow_numbers names {name!r}, which is not a text "
                f"field of {operation.name}. Possible names: {names}"
            )
            raise ConfigurationError(message)


def allowed_note(settings: WritebackSettings) -> str | None:
    """The note in `check` and in the plan on allowed fields; None if no field is allowed."""
    if not settings.allow_numbers:
        return None
    names = ", ".join(settings.allow_numbers)
    return f"allow_numbers: {names} may hold digits that look like a card or account number."


def can_be_allowed(settings: WritebackSettings, operation: Operation, name: str) -> bool:
    """Whether a name, such as `reference` or `items.description`, may be in `allow_numbers`."""
    if HIDDEN in name:
        return False
    if operation.kind == "custom" or name == settings.key:
        return not name.endswith("_token")
    fields: Iterable[Field] = (*operation.parameters, *operation.fields)
    first, *rest = name.split(".")
    for step, following in zip((first, *rest), (*rest, None), strict=True):
        found = next((each for each in fields if each.name == step), None)
        if found is None or found.type in _NUMERIC or _is_token(found):
            return False
        if following is None or found.type in _OPEN:
            return True
        if not found.elements:
            return found.type in {"array", "object"}
        fields = found.elements
    return False


def key_is_allowed(settings: WritebackSettings) -> bool:
    """Whether the record key may hold such digits: its column is allowed, or the field it fills."""
    sources = {
        name: source for name, source in settings.mapping.items() if name in settings.allow_numbers
    }
    return settings.key in settings.allow_numbers or settings.key in sources.values()


def field_name(place: str) -> str:
    """The name in `allow_numbers` for a place: `items.description` for `items[0].description`."""
    return _INDEX.sub("", place).partition(f".{HIDDEN}")[0]


def _tested(
    fields: Mapping[str, Field], values: Mapping[str, Any], allowed: frozenset[str], place: str
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in values.items():
        field, where = fields.get(name), f"{place}{name}"
        if where in allowed or _is_exempt(field, name, value, place):
            found[name] = None
        else:
            elements = {each.name: each for each in field.elements} if field else {}
            found[name] = _inside(elements, value, allowed, f"{where}.")
    return found


def _inside(fields: Mapping[str, Field], value: Any, allowed: frozenset[str], place: str) -> Any:
    if isinstance(value, Mapping):
        return _tested(fields, value, allowed, place)
    if isinstance(value, list | tuple):
        return [_inside(fields, item, allowed, place) for item in value]
    return value


def _is_exempt(field: Field | None, name: str, value: Any, place: str) -> bool:
    if place == "payment_source." and name.endswith("_token"):
        return True
    if field is None:
        return False
    is_number = field.type in _NUMERIC and isinstance(value, int | float | Decimal)
    return is_number or field.type == "token"


def _is_token(field: Field) -> bool:
    return field.type == "token" or field.name == "payment_source"


def _names(settings: WritebackSettings, operation: Operation) -> list[str]:
    names = {settings.key} | {each.name for each in (*operation.parameters, *operation.fields)}
    return sorted(name for name in names if can_be_allowed(settings, operation, name))
