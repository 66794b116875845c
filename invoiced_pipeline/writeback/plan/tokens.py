"""Values of a request for people and tables: payment tokens are hidden."""

from collections.abc import Mapping
from typing import Any

from invoiced_pipeline.catalog.operations import Operation
from invoiced_pipeline.writeback.source.payment_data import HIDDEN


def without_tokens(operation: Operation, values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a body, with tokens hidden."""
    return {name: without_token(operation, name, value) for name, value in values.items()}


def without_token(operation: Operation, name: str, value: Any) -> Any:
    """The value of a field; `(hidden)` for a token, also inside an object."""
    field = operation.field(name)
    if name.endswith("_token") or (field is not None and field.type == "token"):
        return HIDDEN if value is not None else None
    if isinstance(value, Mapping):
        return {key: HIDDEN if key.endswith("_token") else item for key, item in value.items()}
    return value
