"""Arrays of objects inside records, as rows of child tables."""

from itertools import chain, repeat
from typing import Any

import msgspec
import pyarrow as pa

from invoiced_pipeline.catalog import ChildTable, Table
from invoiced_pipeline.nesting import array_elements
from invoiced_pipeline.replication.decode.arrow import arrow_table
from invoiced_pipeline.replication.decode.columns import (
    INDEX,
    PARENT_VERSION,
    TOMBSTONE,
    child_columns,
)
from invoiced_pipeline.replication.decode.records import RecordDecoder, UntypableError, by_column


class ChildRows:
    """Derives one child table's rows from its parents' records, during one load."""

    def __init__(self, table: Table, child: ChildTable) -> None:
        self.name = table.child_name(child)
        self._array = child.array
        self._parent_column = table.parent_column
        self._columns = child_columns(table, child)
        self._declared = child.columns
        self._decoder = RecordDecoder(self.name, child.columns)
        self._longest = 1

    def rows(self, parents: list[Any], superseded: set[Any], *, is_new: bool = False) -> pa.Table:
        """Returns one row per element, and tombstones for elements to remove.

        Every parent has at least one row, because the merge only removes the former elements of
        parents that have rows. A parent with an older version in the same load gets tombstones up
        to the length of the longest array: otherwise that version's surplus elements would be
        loaded.

        Args:
            parents: Records, each id once.
            superseded: Ids of parents with an older version in this load.
            is_new: Whether the warehouse holds no rows yet, so that none has to be removed.
        """
        arrays: list[list[Any]] = []
        for parent in parents:
            elements = self._elements(getattr(parent, self._array))
            self._longest = max(self._longest, len(elements))
            if parent.id in superseded:
                elements += [None] * (self._longest - len(elements))
            elif not elements and not is_new:
                elements = [None]
            arrays.append(elements)
        try:
            return self._table(parents, arrays)
        except UntypableError:
            return self._table(parents, self._with_fitting_amounts(arrays))

    @property
    def unknown_fields(self) -> set[str]:
        """Fields of elements seen so far that have no column."""
        return self._decoder.unknown_fields

    def _elements(self, array: msgspec.Raw) -> list[Any]:
        """Returns an array's objects, each at its position, and None for anything else."""
        if len(array) <= len("[]") or array == b"null":
            return []
        try:
            records, rejects = self._decoder.decode(bytes(array))
            if not rejects:
                return records
        except (msgspec.MsgspecError, RecursionError):
            pass
        try:
            items = array_elements(bytes(array))
        except msgspec.MsgspecError:
            return []  # an object instead, as the API reference shows for plans' tiers
        return [self._element(item) if item[:1] == b"{" else None for item in items]

    def _element(self, item: bytes) -> Any:
        try:
            records, _ = self._decoder.decode(b"[" + item + b"]")
        except RecursionError:  # its record was decoded at a smaller depth of calls
            records = []
        return records[0] if records else self._untyped(item)

    def _untyped(self, item: bytes) -> Any:
        """Returns an element that fits no column: all of it is in `_extra`, at its position."""
        element = self._decoder.record_type()
        element.extra_json = item.decode()
        return element

    def _with_fitting_amounts(self, arrays: list[list[Any]]) -> list[list[Any]]:
        return [[self._fitting(element) for element in elements] for elements in arrays]

    def _fitting(self, element: Any) -> Any:
        try:
            arrow_table(self._declared, by_column(self._declared, [element] if element else []))
        except UntypableError:
            return self._untyped(msgspec.json.encode(element))
        return element

    def _table(self, parents: list[Any], arrays: list[list[Any]]) -> pa.Table:
        """Returns the rows of some parents.

        Args:
            parents: Records.
            arrays: Their elements; None for a tombstone.
        """
        nothing = self._decoder.record_type()
        flat = [element for elements in arrays for element in elements]
        lengths = list(map(len, arrays))
        ids = [parent.id for parent in parents]
        versions = [parent.updated_at for parent in parents]
        tombstones = {}
        if None in flat:
            tombstones[TOMBSTONE] = [True if element is None else None for element in flat]
            flat = [nothing if element is None else element for element in flat]
        return arrow_table(
            self._columns,
            {
                **by_column(self._declared, flat),
                self._parent_column: _repeated(ids, lengths),
                INDEX: list(chain.from_iterable(map(range, lengths))),
                PARENT_VERSION: _repeated(versions, lengths),
                **tombstones,
            },
        )


def _repeated(values: list[Any], times: list[int]) -> list[Any]:
    return list(chain.from_iterable(map(repeat, values, times)))
