"""Digests of values, so that a record can be compared later without the values being kept."""

import hashlib
from collections.abc import Mapping
from typing import Any

from invoiced_pipeline.invoiced.http.json_body import encode_body
from invoiced_pipeline.writeback.validation.stored_values import stored


def digest(field: str, value: Any) -> str:
    """A short hash of a field's value, the same however the API writes the value down.

    The API shows an object where its id was given (observed behaviour).
    """
    if isinstance(value, Mapping) and "id" in value and field != "metadata":
        value = value["id"]
    return hashlib.sha256(encode_body(stored(field, value))).hexdigest()[:16]
