"""Writable properties: the values they accept, and the errors for others."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from invoiced_emulator.protocol.countries import COUNTRIES
from invoiced_emulator.protocol.currencies import CURRENCIES
from invoiced_emulator.protocol.errors import ApiError, refused
from invoiced_emulator.protocol.exact_json import encode

PropertyType = Literal[
    "text", "email", "choice", "number", "integer", "stamp", "boolean", "currency", "country",
    "language", "metadata", "any",
]  # fmt: skip

_EMAIL = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_FALSE = frozenset({"", "0", "false"})


@dataclass(frozen=True, slots=True)
class Property:
    """A writable property."""

    type: PropertyType = "text"
    nullable: bool = True
    longest: int = 255
    shortest: int = 1
    choices: tuple[str, ...] = ()


def title(name: str) -> str:
    """Returns a property's name in error messages, e.g. `Purchase Order`."""
    return name.replace("_", " ").title()


def missing(name: str) -> ApiError:
    """Returns the error for a missing property."""
    return refused(f"{title(name)} is missing", name)


def accepted_values(
    body: Mapping[str, Any],
    properties: Mapping[str, Property],
    *,
    model: str = "",
    blocked: frozenset[str] = frozenset(),
) -> dict[str, Any]:
    """Returns the values of a request body as they are stored.

    Other names are left out. The first error is raised.

    Args:
        body: The request's JSON object.
        properties: The writable properties.
        model: The kind of record, for the error about blocked properties.
        blocked: Names that are refused even with the stored value.

    Raises:
        ApiError: 400 with Invoiced's text.
    """
    for name in body:
        if name in blocked:
            raise refused(f"Mass assignment of {name} on {model} is not allowed")
    return {
        name: stored_value(name, body[name], property_)
        for name, property_ in properties.items()
        if name in body
    }


def stored_value(name: str, value: Any, property_: Property) -> Any:
    """Returns a value as it is stored.

    Raises:
        ApiError: 400 with `name` as param.
    """
    if property_.type == "metadata":
        check_metadata(value)
        return stored_metadata(value)
    if property_.nullable and (value is None or value == ""):
        return None
    return _CONVERTERS.get(property_.type, _anything)(name, value, property_)


def check_metadata(value: Any) -> None:
    """Refuses metadata that Invoiced refuses.

    Raises:
        ApiError: 400 with param `metadata`.
    """
    values = value if isinstance(value, dict) else {}
    if len(values) > 10:
        raise refused(
            f"There can only be up to 10 metadata values. {len(values)} values were provided.",
            "metadata",
        )
    for key, item in values.items():
        if len(key) > 40:
            raise refused(f"The `{key}` metadata key exceeds the 40 character limit.", "metadata")
        if item is None:
            raise refused(
                f"The provided value for metadata.{key} is an invalid type. "
                "Valid types are string, boolean, number, object, and array.",
                "metadata",
            )
        if len(_metadata_text(item)) > 255:
            raise refused(
                f"The provided value for metadata.{key} exceeds the 255 character limit.",
                "metadata",
            )


def stored_metadata(value: Any) -> dict[str, str]:
    """Returns metadata as it is stored: every value is text."""
    if not isinstance(value, dict):
        return {}
    return {key: _metadata_text(item) for key, item in value.items()}


def as_decimal(value: Any) -> Decimal | None:
    """Returns a JSON or form number; None when it is not a number."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | Decimal):
        return Decimal(value)
    try:
        number = Decimal(value) if isinstance(value, str) else None
    except InvalidOperation:
        return None
    return number if number is not None and number.is_finite() else None


def as_integer(value: Any) -> int | None:
    """Returns a whole JSON or form number; None when it is not one."""
    number = as_decimal(value)
    return int(number) if number is not None and number == number.to_integral_value() else None


def as_boolean(value: Any) -> bool:
    """Converts a value as Invoiced does for a boolean property."""
    return value.strip().lower() not in _FALSE if isinstance(value, str) else bool(value)


def _metadata_text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "1" if value else "0"
    return encode(value).decode()


def _text(name: str, value: Any, property_: Property) -> str:
    text = value if isinstance(value, str) else "" if value is None else encode(value).decode()
    if not property_.shortest <= len(text) <= property_.longest:
        raise refused(
            f"{title(name)} must be a string between {property_.shortest} and "
            f"{property_.longest} characters.",
            name,
        )
    return text


def _email(name: str, value: Any, _: Property) -> str:
    email = str(value).strip().lower()
    if not _EMAIL.fullmatch(email):
        raise refused(f"{title(name)} must be a valid email address", name)
    return email


def _choice(name: str, value: Any, property_: Property) -> str:
    if value not in property_.choices:
        raise refused(f"{title(name)} must be one of the allowed values", name)
    return value


def _number(name: str, value: Any, _: Property) -> Decimal:
    number = as_decimal(value)
    if number is None:
        raise refused(f"{title(name)} only allows numbers", name)
    return number


def _integer(name: str, value: Any, _: Property) -> int:
    number = as_integer(value)
    if number is None:
        raise refused(f"{title(name)} only allows numbers", name)
    return number


def _stamp(name: str, value: Any, _: Property) -> int:
    number = as_integer(value)
    if number is None:
        raise refused(f"{title(name)} only allows timestamps", name)
    return number


def _boolean(_name: str, value: Any, _: Property) -> bool:
    return as_boolean(value)


def _currency(name: str, value: Any, _: Property) -> str:
    if value is None or value == "":
        raise refused("The currency cannot be unset.", name)
    currency = str(value).lower()
    if currency not in CURRENCIES:
        raise refused(f"Invalid currency code: {value}")
    return currency


def _country(name: str, value: Any, _: Property) -> str:
    country = str(value).upper()
    if country not in COUNTRIES:
        raise refused(f"{title(name)} is invalid", name)
    return country


def _language(name: str, value: Any, _: Property) -> str:
    return _text(name, value, Property(shortest=2, longest=2)).lower()


def _anything(_name: str, value: Any, _: Property) -> Any:
    return value


_CONVERTERS = {
    "text": _text,
    "email": _email,
    "choice": _choice,
    "number": _number,
    "integer": _integer,
    "stamp": _stamp,
    "boolean": _boolean,
    "currency": _currency,
    "country": _country,
    "language": _language,
}
