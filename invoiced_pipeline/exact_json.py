"""JSON whose numbers are read exactly: fractions become `Decimal`, never binary floats."""

from decimal import Decimal
from typing import Any

import msgspec

DECODER = msgspec.json.Decoder(float_hook=Decimal)


def decode_exact(text: bytes | str) -> Any:
    """Decodes JSON; numbers with a fraction or an exponent become `Decimal`, others `int`.

    Raises:
        msgspec.DecodeError: It is not JSON.
        UnicodeError: It is not UTF-8.
        RecursionError: It is nested more deeply than msgspec can follow.
    """
    return DECODER.decode(text)
