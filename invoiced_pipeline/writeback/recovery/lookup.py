"""The question to the API that tells what became of a request: by number, marker or comparison.

The ledger stores it before the request is made. It holds no values of the row: a number, a marker,
and digests of the fields to compare.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from invoiced_pipeline.catalog.operations import MARKER, NaturalKey, Operation, fill_path
from invoiced_pipeline.writeback.plan.plan import PlannedRow
from invoiced_pipeline.writeback.recovery.digests import digests, part_digest
from invoiced_pipeline.writeback.source.operation import included_params
from invoiced_pipeline.writeback.source.parts import of_field, value_at

Kind = Literal["number", "marker", "list", "record", "gone", "voided"]


class Lookup(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A question to the API that tells what became of a request.

    Attributes:
        kind: `number` and `marker` find a record by a unique value, `list` by comparing fields;
            `record` compares one record; `gone` and `voided` check whether it is still there.
        path: Path of the list, or of the record.
        params: Query parameters.
        name: The field of the number, or the metadata key of the marker.
        value: The number, or the marker.
        digests: Digests of the fields to compare, by their name in the record. Look-ups by number
            in ledgers of older versions have none.
    """

    kind: Kind
    path: str
    params: tuple[tuple[str, str], ...] = ()
    name: str = ""
    value: str = ""
    digests: dict[str, str] = {}

    @property
    def is_list(self) -> bool:
        """Whether several records may match."""
        return self.kind in {"number", "marker", "list"}

    def encode(self) -> str:
        """Encodes the look-up as JSON, for the ledger."""
        return msgspec.json.encode(self).decode()


def decode(text: str | None) -> Lookup | None:
    """Decodes the look-up of a ledger entry."""
    return msgspec.json.decode(text, type=Lookup) if text else None


def lookup_for(
    operation: Operation, row: PlannedRow, marker: str | None, record_id: str | None
) -> Lookup | None:
    """Makes the look-up for a row's request; None where nothing can tell its outcome.

    Args:
        operation: The operation.
        row: The row as it is sent.
        marker: The marker in its body; None without one.
        record_id: ID of the record that `{id}` in its path stands for.
    """
    if row.batch is not None or operation.kind == "custom":
        return None
    path = fill_path(row.path, {"id": record_id}) if record_id else row.path
    if row.action in {"delete", "void"}:
        kind: Kind = "voided" if row.action == "void" else "gone"
        return Lookup(kind=kind, path=path.removesuffix("/void"))
    if row.action == "update":
        body = row.body or {}
        whole = {name: value for name, value in body.items() if not of_field(row.parts, name)}
        parts = {".".join(part): part_digest(part, value_at(body, part)) for part in row.parts}
        params = included_params(operation)
        return Lookup(kind="record", path=path, params=params, digests=digests(whole) | parts)
    if operation.natural_key is None:
        return None
    return _lookup_of_new_record(operation, operation.natural_key, row, marker)


def _lookup_of_new_record(
    operation: Operation, key: NaturalKey, row: PlannedRow, marker: str | None
) -> Lookup:
    body = row.body or {}
    params = (*key.list_params, *included_params(operation))
    number = body.get(key.number) if key.number else None
    if key.number and number not in {None, ""}:
        return Lookup(
            kind="number",
            path=key.list_path,
            params=params,
            name=key.number,
            value=str(number).strip(),
            digests=_content_digests(key.number, body),
        )
    if marker is not None:
        return Lookup(kind="marker", path=key.list_path, params=params, name=MARKER, value=marker)
    compared = {name: body[field] for field, name in key.compare if body.get(field) is not None}
    # The row's path is the path of the list, with its parameters filled in.
    return Lookup(kind="list", path=row.path, params=params, digests=digests(compared))


def _content_digests(number: str, body: Mapping[str, Any]) -> dict[str, str]:
    """Digests of what a record shows as it was sent: single values and metadata, not lines."""
    return digests(
        {
            name: value
            for name, value in body.items()
            if name != number
            and (name == "metadata" or not isinstance(value, Mapping | list | tuple))
            and value is not None
            and value not in ("", {})
        }
    )
