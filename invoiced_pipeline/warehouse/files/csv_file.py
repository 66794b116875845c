"""CSV files by RFC 4180: nothing is detected, every value is text, and no row is dropped.

The delimiter is a comma or the setting's, quotes are `"`, doubled inside quotes, there are no
comments, and the first row is the header. Python's `csv` module reads the file.
"""

import csv
import io
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.warehouse.files.text import Dialect, read_text

OTHER_DELIMITERS = ";\t|,"

_NO_LIMIT = min(sys.maxsize, 2**31 - 1)
"""The longest field, in characters; the `csv` module's default is 131,072."""


@dataclass(frozen=True, slots=True)
class TextRows:
    """The rows of a file.

    Attributes:
        columns: The header.
        rows: Texts; None for an empty field, quoted or not.
        lines: The line on which each row begins, from 1.
        skipped: Rows left out because they hold only delimiters and white space.
    """

    columns: tuple[str, ...]
    rows: list[tuple[str | None, ...]]
    lines: list[int]
    skipped: int


def read_csv(path: Path, dialect: Dialect) -> TextRows:
    """Returns all rows of a file, in its order.

    Raises:
        WarehouseError: It is not in `dialect`, or a row is not as long as the header; the text
            names the line.
    """
    found = _rows(path, dialect)
    _, header = next(found, (1, None))
    if header is None:
        message = f"{path.name} is empty: its first row has to name the columns"
        raise WarehouseError(message)
    _check_header(path, header)
    rows: list[tuple[str | None, ...]] = []
    lines: list[int] = []
    skipped = 0
    for line, fields in found:
        if not any(map(str.strip, fields)):
            skipped += 1
            continue
        if len(fields) != len(header):
            _refuse_length(path, dialect, header, line, len(fields))
        rows.append(tuple(text or None for text in fields))
        lines.append(line)
    return TextRows(tuple(header), rows, lines, skipped)


def _rows(path: Path, dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """Yields every row with the line on which it begins."""
    csv.field_size_limit(_NO_LIMIT)
    lines = io.StringIO(read_text(path, dialect.encoding), newline="")
    reader = csv.reader(lines, delimiter=dialect.delimiter, strict=True)
    while True:
        line = reader.line_num + 1
        try:
            fields = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise WarehouseError(_quote_problem(path, line, reader.line_num, error)) from None
        yield line, fields


def _quote_problem(path: Path, first: int, last: int, error: csv.Error) -> str:
    if "unexpected end of data" in str(error):
        return (
            f'line {first} of {path.name} opens a quote (") that is never closed. Close it, or '
            "double the mark where it belongs to the text"
        )
    where = f"line {first}" if first == last else f"the row on lines {first} to {last}"
    return (
        f'{where} of {path.name} has text after a closing quote ("). Inside of a quoted field '
        "every quote is doubled"
    )


def _check_header(path: Path, header: Sequence[str]) -> None:
    for number, name in enumerate(header or [""], start=1):
        if not name.strip():
            message = (
                f"column {number} of {path.name} has no name: the header in line 1 has to name "
                "every column"
            )
            raise WarehouseError(message)
    double = next((name for name in header if header.count(name) > 1), None)
    if double is not None:
        message = f"line 1 of {path.name} has two columns called {double!r}. Rename one"
        raise WarehouseError(message)


def _refuse_length(
    path: Path, dialect: Dialect, header: Sequence[str], line: int, count: int
) -> None:
    message = (
        f"line {line} of {path.name} has {counted(count, 'field')}, and its header has "
        f"{len(header)}: nothing of the file is used. {delimiter_hint(header, dialect.delimiter)}"
    )
    raise WarehouseError(message)


def delimiter_hint(header: Sequence[str], delimiter: str) -> str:
    """Returns what to do about a row that does not fit its header."""
    if len(header) == 1:
        for other in OTHER_DELIMITERS:
            if other != delimiter and other in header[0]:
                return f"Its header is separated by {other!r}: set delimiter = {_toml(other)}"
    return (
        "Correct the line, put quotes around text that holds the delimiter, or export the file "
        "again"
    )


def _toml(delimiter: str) -> str:
    return '"\\t"' if delimiter == "\t" else f'"{delimiter}"'
