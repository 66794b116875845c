"""JSON bodies of requests with exact numbers, and equal bytes for equal values."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import msgspec

_ENCODER = msgspec.json.Encoder(order="deterministic")


def encode_body(value: object) -> bytes:
    """Returns `value` as compact JSON with sorted keys, e.g. for a request or for its hash.

    A Decimal becomes a JSON number without exponent and without a zero fraction, like the API's own
    numbers: `Decimal("1E+2")` and `Decimal("100.00")` are both `100`.

    Args:
        value: Mappings, sequences, texts, booleans, None, int, float and Decimal.

    Raises:
        ValueError: A number is not finite.
        TypeError: It holds another type.
    """
    return _ENCODER.encode(_encodable(value))


def _encodable(value: Any) -> Any:
    if isinstance(value, bool | str) or value is None:
        return value
    if isinstance(value, Mapping):
        return {str(name): _encodable(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_encodable(item) for item in value]
    if isinstance(value, int | float | Decimal):
        return msgspec.Raw(_number(value).encode())
    msg = f"{type(value).__name__} has no form in JSON"
    raise TypeError(msg)


def _number(value: Decimal | float) -> str:
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if not number.is_finite():
        msg = f"{value} is no number of JSON"
        raise ValueError(msg)
    text = format(number, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text
