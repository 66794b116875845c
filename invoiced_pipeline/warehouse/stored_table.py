"""A table to copy from one warehouse to another."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow as pa


@dataclass(frozen=True, slots=True)
class StoredColumn:
    """A column, with DuckDB's name for its type."""

    name: str
    type: str
    may_be_null: bool


@dataclass(frozen=True, slots=True)
class StoredTable:
    """A table in a warehouse that is open.

    Attributes:
        name: Its name.
        columns: Its columns, in order.
        rows: Returns its rows as Arrow batches; JSON comes as text.
    """

    name: str
    columns: tuple[StoredColumn, ...]
    rows: "Callable[[], pa.RecordBatchReader]"
