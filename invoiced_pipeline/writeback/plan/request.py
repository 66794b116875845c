"""Outgoing requests: one row each, or for a custom operation many rows in one array."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from invoiced_pipeline.catalog.operations import MARKER, Operation, fill_path
from invoiced_pipeline.invoiced.http.json_body import encode_body
from invoiced_pipeline.invoiced.http.writer import WriteRequest
from invoiced_pipeline.writeback.plan.plan import PlannedRow


@dataclass(frozen=True, slots=True, eq=False)
class OutgoingRequest:
    """The rows of one request; more than one only where the body is an array.

    Attributes:
        rows: In the source's order.
        marker: The marker of the row; None where a look-up does not need one.
    """

    rows: tuple[PlannedRow, ...]
    marker: str | None = None

    @property
    def row(self) -> PlannedRow:
        """The first row: all rows share its method, path and action."""
        return self.rows[0]

    @property
    def is_array(self) -> bool:
        """Whether the body is an array."""
        return self.row.batch is not None

    @property
    def keys(self) -> list[str]:
        """The record keys of the rows."""
        return [row.record_key for row in self.rows]

    def body_of(self, row: PlannedRow) -> dict[str, Any]:
        """Returns the body that a row asks for, with its marker."""
        body = dict(row.body or {})
        if self.marker is not None:
            body["metadata"] = {**(body.get("metadata") or {}), MARKER: self.marker}
        return body

    def encode(
        self,
        idempotency_key: str | None,
        record_id: str | None,
        headers: Mapping[str, str],
        merged: Mapping[str, Any] | None = None,
    ) -> WriteRequest:
        """Encodes the request for HTTP.

        Args:
            idempotency_key: Key of this attempt; None where the method takes none.
            record_id: ID of the record that an earlier row of the same key created.
            headers: Extra headers.
            merged: The body to send instead of what the row asks for: merged into the record as it
                is now.
        """
        body = None
        if self.is_array:
            body = encode_body([self.body_of(row) for row in self.rows])
        elif self.row.body is not None:
            body = encode_body(self.body_of(self.row) if merged is None else merged)
        path = fill_path(self.row.path, {"id": record_id}) if record_id else self.row.path
        method: Any = self.row.method
        return WriteRequest(
            method=method,
            path=path,
            body=body,
            idempotency_key=idempotency_key,
            headers=headers,
        )


def needs_marker(operation: Operation, row: PlannedRow) -> bool:
    """Whether a look-up can only find the row's record by a marker in its metadata."""
    key = operation.natural_key
    if row.action != "create" or key is None or not key.marker or row.batch is not None:
        return False
    number = (row.body or {}).get(key.number) if key.number else None
    return number in {None, ""}


def outgoing_requests(
    rows: Iterable[PlannedRow], markers: Mapping[str, str]
) -> list[OutgoingRequest]:
    """Groups rows into requests, in the order of their first rows.

    Args:
        rows: The rows to send.
        markers: The markers of rows that need one, by record key.
    """
    batches: dict[int, list[PlannedRow]] = {}
    groups: list[Sequence[PlannedRow]] = []
    for row in rows:
        if row.batch is None:
            groups.append([row])
        elif row.batch in batches:
            batches[row.batch].append(row)
        else:
            batches[row.batch] = [row]
            groups.append(batches[row.batch])
    return [OutgoingRequest(tuple(group), markers.get(group[0].record_key)) for group in groups]
