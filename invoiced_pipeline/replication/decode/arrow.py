"""Python values as Arrow columns of the declared types."""

# pyarrow creates its compute functions at import, where a type checker does not see them.
# pyright: reportAttributeAccessIssue=false

import contextlib
from array import array
from collections.abc import Mapping, Sequence
from decimal import Context, Decimal, InvalidOperation
from itertools import accumulate
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from invoiced_pipeline.catalog import Column
from invoiced_pipeline.replication.decode.columns import EXTRA, SCALE
from invoiced_pipeline.replication.decode.records import UntypableError

DECIMAL = pa.decimal128(38, SCALE)
INSTANT = pa.timestamp("us", tz="UTC")

_ARROW = {
    "bigint": pa.int64(),
    "timestamp": INSTANT,
    "text": pa.string(),
    "boolean": pa.bool_(),
    "decimal": DECIMAL,
    "json": pa.string(),
}
_EXACT = Context(prec=60)
_QUANTUM = Decimal(1).scaleb(-SCALE)


def arrow_schema(columns: Sequence[Column]) -> pa.Schema:
    """Returns the Arrow schema of some columns."""
    return pa.schema([(column.name, _ARROW[column.type]) for column in columns])


def arrow_column(column: Column, values: Sequence[Any]) -> pa.Array:
    """Returns Python values as an Arrow array of the column's type.

    Args:
        column: Which column.
        values: The records' values. A JSON column takes bytes or msgspec's Raw, with b"null" for
            NULL; `_extra` takes texts.

    Raises:
        UntypableError: A value is no decimal, or has more than 28 places before the point.
    """
    match column.type:
        case "timestamp":
            seconds = pa.array(values, type=pa.int64())
            return pc.multiply(seconds, 1_000_000).cast(INSTANT)
        case "json" if column.name != EXTRA:
            return _json_array(values)
        case "decimal":
            try:
                return pa.array(values, type=DECIMAL)
            except pa.ArrowInvalid:
                rounded = [_ten_places(column.name, value) for value in values]
                return pa.array(rounded, type=DECIMAL)
        case _:
            return pa.array(values, type=_ARROW[column.type])


def arrow_table(columns: Sequence[Column], values: Mapping[str, Sequence[Any]]) -> pa.Table:
    """Returns an Arrow table of the declared columns; a column without values is all NULL.

    Args:
        columns: The declaration.
        values: Python values by column name, all of one length.

    Raises:
        UntypableError: An amount does not fit its column.
    """
    length = len(next(iter(values.values())))
    schema = arrow_schema(columns)
    arrays = [
        arrow_column(column, values[column.name])
        if column.name in values
        else pa.nulls(length, schema.field(column.name).type)
        for column in columns
    ]
    return pa.Table.from_arrays(arrays, schema=schema)


def _json_array(values: Sequence[Any]) -> pa.Array:
    """Returns JSON as texts, `null` as NULL; without a Python object for each text."""
    ends = array("i", accumulate(map(len, values), initial=0))
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(values))]
    texts = pa.Array.from_buffers(pa.binary(), len(values), buffers)
    known = pc.not_equal(texts, b"null")
    return pc.if_else(known, texts, pa.scalar(None, pa.binary())).cast(pa.string())


def _ten_places(name: str, value: Decimal | None) -> Decimal | None:
    """Rounds to ten decimal places: the API's own numbers have no more."""
    if value is None:
        return None
    # Only a number with more digits than the context has cannot be rounded.
    with contextlib.suppress(InvalidOperation):
        rounded = value.quantize(_QUANTUM, context=_EXACT)
        if rounded.is_finite() and rounded.adjusted() < 38 - SCALE:
            return rounded
    msg = f"{name}: {value} is no decimal"
    raise UntypableError(msg)
