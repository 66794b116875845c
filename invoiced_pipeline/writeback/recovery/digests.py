"""Digests of values, to compare a record later without storing its values."""

import hashlib
from collections.abc import Mapping
from typing import Any

from invoiced_pipeline.invoiced.http.json_body import encode_body
from invoiced_pipeline.writeback.validation.stored_values import stored


def digest(field: str, value: Any) -> str:
    """A short hash of a field's value as the API stores it.

    An object counts as its id: the API shows the object where the id was sent (observed).
    """
    if isinstance(value, Mapping) and "id" in value and field != "metadata":
        value = value["id"]
    return hashlib.sha256(encode_body(stored(field, value))).hexdigest()[:16]
