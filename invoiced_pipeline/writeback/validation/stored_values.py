"""Values as the API stores them: plan, drift and look-ups compare by this one rule."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from invoiced_pipeline.invoiced.http.json_body import encode_body

_LOWER = frozenset({"email", "currency", "language"})
_UPPER = frozenset({"country", "approved"})


def stored(name: str, value: Any, kind: str = "") -> Any:
    """Returns a value as the API stores it.

    The API lower-cases email addresses and turns metadata into texts (observed). Only for `email`
    is it known whether the API trims a text. White space around any text is ignored here: an
    update that changes nothing else would otherwise be planned at every push.

    Args:
        name: The field's name.
        value: A value of JSON.
        kind: The field's type in the catalog; the name is enough where the type is not known.
    """
    if isinstance(value, str):
        text = value.strip()
        if {name, kind} & _LOWER:
            text = text.lower()
        elif {name, kind} & _UPPER:
            text = text.upper()
        return text or None
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float | Decimal):
        return Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    if isinstance(value, Mapping):
        if "metadata" in {name, kind}:
            return {str(key): metadata_text(item).strip() for key, item in value.items()}
        return {key: stored(str(key), item) for key, item in value.items()}
    return [stored(name, item, kind) for item in value]


def metadata_text(value: Any) -> str:
    """A metadata value as the API stores it: a text (observed)."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return value if isinstance(value, str) else encode_body(value).decode()
