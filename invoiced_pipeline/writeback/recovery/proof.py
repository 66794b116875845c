"""Whether a 2xx proves that a request was carried out, and on the right record."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import unquote

import msgspec

from invoiced_pipeline.catalog.operations import Operation
from invoiced_pipeline.invoiced.http.writer import WriteAnswer
from invoiced_pipeline.nesting import shallow
from invoiced_pipeline.writeback.plan.plan import PlannedRow
from invoiced_pipeline.writeback.validation.record_numbers import normal_number


def proven(
    answer: WriteAnswer, operation: Operation, row: PlannedRow, record: str | None
) -> WriteAnswer:
    """The answer, or an ambiguous one where a 2xx does not show the record that was asked for.

    A gateway can replace a body, and a cache can answer for the API. Custom operations may answer
    with anything, and deletions with nothing.

    Args:
        answer: As it came.
        operation: What is done.
        row: The row that was sent.
        record: The id that `{id}` in the row's path stands for.
    """
    if answer.result != "succeeded" or operation.kind == "custom" or row.action == "delete":
        return answer
    shown = answer_object(answer.body)
    identity = identity_of(shown)
    why = None
    if identity is None:
        why = "without a record's id"
    elif row.action == "create":
        why = _other_number(operation, row, shown)
    else:
        wanted = record or unquote(row.path.removesuffix("/void").rpartition("/")[2])
        if identity != wanted:
            why = f"with record {identity}, not with {wanted}"
    if why is None:
        return answer
    message = f"{row.method} {row.path} answered {answer.status}, but {why}"
    return replace(answer, result="ambiguous", message=message)


def answer_object(body: bytes | None) -> Mapping[str, Any]:
    """The object that a body holds; an empty one where it holds something else."""
    try:
        found = msgspec.json.decode(shallow(body or b"null"))
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return {}
    return found if isinstance(found, dict) else {}


def identity_of(record: Mapping[str, Any]) -> str | None:
    """The id of a record as text; None where it has none, or something that is no id."""
    identity = record.get("id")
    if isinstance(identity, bool) or not isinstance(identity, int | str):
        return None
    return str(identity).strip() or None if identity else None


def _other_number(operation: Operation, row: PlannedRow, shown: Mapping[str, Any]) -> str | None:
    key = operation.natural_key
    name = key.number if key else None
    asked = normal_number((row.body or {}).get(name)) if name else None
    found = normal_number(shown.get(name)) if name else None
    if asked is None or found is None or asked == found:
        return None
    return f"with a record whose {name} is another"
