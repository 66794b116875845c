"""What goes out as one request: mostly one row, of a custom operation many in one array."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from invoiced_pipeline.catalog.operations import MARKER, Operation, fill_path
from invoiced_pipeline.invoiced.http.json_body import encode_body
from invoiced_pipeline.invoiced.http.writer import WriteRequest
from invoiced_pipeline.writeback.plan.plan import PlannedRow


@dataclass(frozen=True, slots=True, eq=False)
class Unit:
    """The rows of one request; more than one only where they go as an array.

    Attributes:
        rows: In the source's order.
        mark: The marker of the row; None where its record is found otherwise.
    """

    rows: tuple[PlannedRow, ...]
    mark: str | None = None

    @property
    def row(self) -> PlannedRow:
        """The first row, which has what all share: method, path and action."""
        return self.rows[0]

    @property
    def is_array(self) -> bool:
        """Whether the body is an array."""
        return self.row.batch is not None

    @property
    def keys(self) -> list[str]:
        """The record keys of the rows."""
        return [row.record_key for row in self.rows]

    def asked(self, row: PlannedRow) -> dict[str, Any]:
        """What a row asks for, its marker included."""
        body = dict(row.body or {})
        if self.mark is not None:
            body["metadata"] = {**(body.get("metadata") or {}), MARKER: self.mark}
        return body

    def request(
        self,
        idempotency_key: str | None,
        record_id: str | None,
        headers: Mapping[str, str],
        merged: Mapping[str, Any] | None = None,
    ) -> WriteRequest:
        """The request as it goes out.

        Args:
            idempotency_key: Of this attempt; None where the method takes none.
            record_id: Of the record that an earlier row of the same key made.
            headers: Extra ones.
            merged: The body in place of what the row asks for: merged into the present record.
        """
        body = None
        if self.is_array:
            body = encode_body([self.asked(row) for row in self.rows])
        elif self.row.body is not None:
            body = encode_body(self.asked(self.row) if merged is None else merged)
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
    """Whether a row's record can only be found again by a marker in its metadata."""
    key = operation.natural_key
    if row.action != "create" or key is None or not key.marker or row.batch is not None:
        return False
    number = (row.body or {}).get(key.number) if key.number else None
    return number in {None, ""}


def units_of(rows: Iterable[PlannedRow], marks: Mapping[str, str]) -> list[Unit]:
    """Rows as units, in the order of their first rows.

    Args:
        rows: Those to send.
        marks: The markers of those that need one, by record key.
    """
    together: dict[int, list[PlannedRow]] = {}
    units: list[Sequence[PlannedRow]] = []
    for row in rows:
        if row.batch is None:
            units.append([row])
        elif row.batch in together:
            together[row.batch].append(row)
        else:
            together[row.batch] = [row]
            units.append(together[row.batch])
    return [Unit(tuple(each), marks.get(each[0].record_key)) for each in units]
