"""The one character that PostgreSQL cannot hold.

U+0000 is refused in text ("invalid byte sequence for encoding UTF8: 0x00") and fails the whole load
with it; as an escape in JSON it is taken, and every query fails that looks at the value. It becomes
U+FFFD, the character that stands for one that could not be kept.
"""

import re
from collections.abc import Collection
from typing import Any

import pyarrow as pa
import pyarrow.compute

REPLACEMENT = "\ufffd"

_ESCAPED = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""The escape itself: a backslash that is escaped makes no escape of what follows it."""


def without_nul(text: str) -> str:
    """The text with U+FFFD in place of every U+0000."""
    return text.replace("\x00", REPLACEMENT)


def without_escaped_nul(json: str) -> str:
    r"""The JSON document with `\ufffd` in place of every escape `\u0000`."""
    return _ESCAPED.sub(r"\1\\ufffd", json)


def storable(batch: pa.RecordBatch, json_columns: Collection[str]) -> pa.RecordBatch:
    """The batch as PostgreSQL can hold it; nearly always the same one, untouched.

    Args:
        batch: Rows on their way into a table.
        json_columns: Its columns of JSON documents; other columns of text are plain text.
    """
    compute: Any = pyarrow.compute  # its functions are made at run time

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
