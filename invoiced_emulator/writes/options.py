"""Checks the options of requests, and their types on strict routes."""

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import Any

from invoiced_emulator.calls.call import Call
from invoiced_emulator.protocol.errors import refused, unknown_options
from invoiced_emulator.records.properties import Property, accepted_values, as_decimal
from invoiced_emulator.records.unit_of_work import Record

_PARAM = "request"
_NAMES: tuple[tuple[type | tuple[type, ...], str], ...] = (
    (bool, "boolean"),
    (int, "integer"),
    (Decimal, "double"),
    (str, "string"),
    ((dict, list), "array"),
)
_TESTS: Mapping[str, Callable[[Any], bool]] = {
    "numeric": lambda value: as_decimal(value) is not None,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, dict | list),
    "null": lambda value: value is None,
}


def refuse_query(call: Call) -> None:
    """Refuses every query parameter, as most DELETE routes do.

    Raises:
        ApiError: 400 with param `query`.
    """
    if call.query:
        raise unknown_options(call.query, (), "query")


def refuse_unknown(call: Call, defined: Iterable[str]) -> None:
    """Refuses body options that a strict route does not define.

    Raises:
        ApiError: 400 with param `request`.
    """
    known = set(defined)
    if unknown := call.body.keys() - known:
        raise unknown_options(unknown, known, "request")


def check_options(
    call: Call, types: Mapping[str, tuple[str, ...]], required: tuple[str, ...] = ()
) -> None:
    """Refuses unknown, missing and wrongly typed options of a request body.

    Args:
        call: The request.
        types: The options of the route, with the types that each accepts.
        required: Options that must be present.

    Raises:
        ApiError: 400 with param `request`.
    """
    refuse_unknown(call, types)
    absent = [name for name in sorted(required) if name not in call.body]
    if len(absent) == 1:
        raise refused(f"The required option '{absent[0]}' is missing.", _PARAM)
    if absent:
        names = "', '".join(absent)
        raise refused(f"The required options '{names}' are missing.", _PARAM)
    for name, value in call.body.items():
        allowed = types[name]
        if not any(_TESTS[type_](value) for type_ in allowed):
            expected = "' or '".join(allowed)
            raise refused(
                f"The option '{name}' with value {_shown(value)} is expected to be of type "
                f"'{expected}', but is of type '{_type_name(value)}'.",
                _PARAM,
            )


def requested_currency(call: Call, code: str | None, customer: Record) -> str:
    """Returns the currency of a request, else the customer's, else the account's.

    Raises:
        ApiError: 400 for a code that is no currency.
    """
    account = call.shared.account
    code = code or customer.get("currency") or account.currency
    return accepted_values({"currency": code}, {"currency": Property("currency")})["currency"]


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list):
        return "array"
    return "null" if value is None else f"'{value}'"


def _type_name(value: Any) -> str:
    return next((name for types, name in _NAMES if isinstance(value, types)), "null")
