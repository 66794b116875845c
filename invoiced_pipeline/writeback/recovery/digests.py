"""Digests of values, to compare a record later without storing its values."""

import hashlib
from collections.abc import Mapping
from typing import Any

from invoiced_pipeline.invoiced.http.json_body import encode_body
from invoiced_pipeline.writeback.source.parts import Path
from invoiced_pipeline.writeback.validation.stored_values import metadata_text, stored


def digest(field: str, value: Any) -> str:
    """Makes a short hash of a field's value as the API stores it.

    An object counts as its id: the API shows the object where the id was sent (observed).
    """
    if isinstance(value, Mapping) and "id" in value and field != "metadata":
        value = value["id"]
    return hashlib.sha256(encode_body(stored(field, value))).hexdigest()[:16]


def part_digest(path: Path, value: Any) -> str:
    """Makes the digest of a part of a field, such as `metadata.crm`."""
    is_metadata = "metadata" in path[:-1] and value is not None
    return digest(path[-1], metadata_text(value) if is_metadata else value)


def digests(values: Mapping[str, Any]) -> dict[str, str]:
    """Makes the digests of several fields, by name."""
    return {name: digest(name, value) for name, value in values.items()}
