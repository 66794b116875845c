"""Values as the API stores them: the one rule by which plan, drift and look-ups compare."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from invoiced_pipeline.invoiced.http.json_body import encode_body

_LOWER = frozenset({"email", "currency", "language"})
_UPPER = frozenset({"country", "approved"})


def stored(name: str, value: Any, kind: str = "") -> Any:
    """A value as the API stores it, whoever wrote it down.

    It lower-cases e-mail addresses and turns metadata into texts (observed behaviour). Whether it
    trims a text is known for `email` alone: surrounding white space never counts, because an update
    that changes nothing else would be planned for ever.

    Args:
        name: Of the field.
        value: One of JSON.
        kind: The field's type in the catalog; its name tells enough where that is not known.
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
    """A metadata value as the API keeps it: a text (observed behaviour)."""
    if isinstance(value, bool):
        return "1" if value else "0"
    return value if isinstance(value, str) else encode_body(value).decode()
