"""JSON with exact numbers: decimals in, decimals out, no binary floats.

The API writes neither zero fractions (100, not 100.00) nor exponents.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_PLAIN = frozenset({str, bool, type(None), msgspec.Raw})
_INT_RANGE = range(-(2**63), 2**63)


def encode(value: object) -> bytes:
    """Returns `value` as compact JSON; Decimal, int and float become plain JSON numbers."""
    return _ENCODER.encode(_encodable(value))


def decode(text: bytes | str) -> Any:
    """Returns the value of a JSON text, with fractional numbers as Decimal."""
    return _DECODER.decode(text)


def number_text(value: Decimal | float) -> str:
    """Returns a JSON number without exponent or zero fraction."""
    number = value if isinstance(value, Decimal) else Decimal(repr(value))
    if number == number.to_integral_value():
        return str(int(number))
    return format(number, "f").rstrip("0")


def _encodable(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is int:
        return value if value in _INT_RANGE else msgspec.Raw(str(value).encode())
    if kind is dict or isinstance(value, Mapping):
        return {name: _encodable(item) for name, item in value.items()}
    if kind is list or kind is tuple:
        return [_encodable(item) for item in value]
    if kind is Decimal or kind is float:
        return msgspec.Raw(number_text(value).encode())
    return value
