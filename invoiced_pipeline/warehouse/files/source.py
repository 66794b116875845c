"""Files as sources of write-backs, for every kind of warehouse."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.warehouse.database import Selection
from invoiced_pipeline.warehouse.duckdb.source_query import select_parquet
from invoiced_pipeline.warehouse.duckdb.text_expressions import evaluate
from invoiced_pipeline.warehouse.files.csv_file import read_csv
from invoiced_pipeline.warehouse.files.ndjson_file import as_text, read_ndjson
from invoiced_pipeline.warehouse.files.text import Dialect


def is_file(path: Path) -> bool:
    """Returns whether there is a file; a path that is too long for the system names none."""
    try:
        return path.is_file()
    except OSError:
        return False


def select_file(path: Path, added: Mapping[str, str], dialect: Dialect) -> Selection:
    """Returns all rows of a CSV, Parquet or NDJSON file, in its order, with exact numbers.

    Args:
        path: The file.
        added: More columns, by name, as SQL expressions on the file's columns. These are texts,
            except in Parquet, which has types.
        dialect: Delimiter and encoding of a text file.

    Raises:
        ExpressionFailedError: An expression cannot be evaluated.
        WarehouseError: There is no such file, or it cannot be read.
    """
    try:
        found = "file" if path.is_file() else "folder" if path.is_dir() else None
    except OSError as error:
        message = f"{path.name[:40]}... is no file: {error.strerror}"
        raise WarehouseError(message) from None
    if found != "file":
        message = f"there is no file {path}" if found is None else f"{path} is a folder, not a file"
        raise WarehouseError(message)
    kind = path.suffix.lower()
    if kind == ".parquet":
        return select_parquet(path, added)
    return _csv(path, added, dialect) if kind == ".csv" else _ndjson(path, added, dialect)


def _csv(path: Path, added: Mapping[str, str], dialect: Dialect) -> Selection:
    found = read_csv(path, dialect)
    more = _expressions(path, added, found.columns, found.rows, found.lines)
    return Selection(
        columns=(*found.columns, *added),
        rows=[(*row, *values) for row, values in zip(found.rows, more, strict=True)],
        is_text=True,
        skipped=found.skipped,
    )


def _ndjson(path: Path, added: Mapping[str, str], dialect: Dialect) -> Selection:
    found = read_ndjson(path, dialect.encoding)
    columns = found.columns
    rows = [tuple(each.get(name) for name in columns) for each in found.objects]
    good = [at for at in range(len(rows)) if at not in found.problems]
    texts = [tuple(map(as_text, rows[at])) for at in good] if added else [()] * len(good)
    more = _expressions(path, added, columns, texts, [found.lines[at] for at in good])
    extra = dict(zip(good, more, strict=True))
    none: tuple[Any, ...] = (None,) * len(added)
    return Selection(
        columns=(*columns, *added),
        rows=[(*row, *extra.get(at, none)) for at, row in enumerate(rows)],
        problems=found.problems,
        record_keys={at: f"line {found.lines[at]}" for at in found.problems},
        skipped=found.skipped,
    )


def _expressions(
    path: Path,
    added: Mapping[str, str],
    columns: Sequence[str],
    rows: Sequence[tuple[str | None, ...]],
    lines: Sequence[int],
) -> Iterable[tuple[Any, ...]]:
    """Returns the values of all expressions, by row."""
    if not added:
        return [()] * len(rows)
    if len({name.casefold() for name in columns}) < len(columns):
        message = (
            f"{path.name} has two columns whose names differ in case only, which SQL expressions "
            "cannot tell apart. Rename one"
        )
        raise WarehouseError(message)
    return evaluate(added, columns, rows, [f"line {line}" for line in lines])
