"""U+0000, the one character that PostgreSQL cannot store.

In text it is refused ("invalid byte sequence for encoding UTF8: 0x00"), and the whole load fails.
As an escape in JSON it is accepted, but every query that reads the value fails. It is replaced by
U+FFFD, the replacement character.
"""

import re
from collections.abc import Collection
from typing import Any

import pyarrow as pa
import pyarrow.compute

REPLACEMENT = "\ufffd"

_ESCAPED = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""The escape; after an escaped backslash, `u0000` is plain text."""


def without_nul(text: str) -> str:
    """Returns the text with U+FFFD in place of every U+0000."""
    return text.replace("\x00", REPLACEMENT)


def without_escaped_nul(json: str) -> str:
    r"""Returns the JSON document with `\ufffd` in place of every escape `\u0000`."""
    return _ESCAPED.sub(r"\1\\ufffd", json)


def storable(batch: pa.RecordBatch, json_columns: Collection[str]) -> pa.RecordBatch:
    """Returns the batch without U+0000; nearly always the unchanged batch.

    Args:
        batch: Rows to load.
        json_columns: Text columns that hold JSON documents; the others hold plain text.
    """
    compute: Any = pyarrow.compute  # its functions are created at import

    columns = list(batch.columns)
    for position, (field, column) in enumerate(zip(batch.schema, columns, strict=True)):
        if not pa.types.is_string(field.type):
            continue
        is_json = field.name in json_columns
        sign, clean = (r"\u0000", without_escaped_nul) if is_json else ("\x00", without_nul)
        if compute.any(compute.match_substring(column, sign)).as_py():
            texts = [text if text is None else clean(text) for text in column.to_pylist()]
            columns[position] = pa.array(texts, field.type)
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)
