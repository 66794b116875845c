"""Reads the rows of a write-back from a table, a query or a file."""

import re
from collections.abc import Iterable
from contextlib import AbstractContextManager, chdir, nullcontext
from pathlib import Path

from invoiced_pipeline.exceptions import ConfigurationError, WarehouseBusyError, WarehouseError
from invoiced_pipeline.settings import (
    ColumnSettings,
    ExpressionSettings,
    ReferenceSettings,
    WritebackSettings,
)
from invoiced_pipeline.warehouse.added_columns import ExpressionFailedError, with_columns
from invoiced_pipeline.warehouse.database import Database, Selection
from invoiced_pipeline.warehouse.files.csv_file import delimiter_hint
from invoiced_pipeline.warehouse.files.source import is_file, select_file
from invoiced_pipeline.warehouse.files.text import Dialect
from invoiced_pipeline.writeback.source.payment_data import without_payment_data

_IDENTIFIER = re.compile(r'(?:[^\W\d]\w*|"(?:[^"]|"")+")(?:\.(?:[^\W\d]\w*|"(?:[^"]|"")+")){0,2}')


def expression_column(target: str) -> str:
    """The name of the column that holds the value of a mapping's expression."""
    return f"__writeback_{target}"


def read_source(
    settings: WritebackSettings, database: Database, dataset: str, folder: Path | None = None
) -> Selection:
    """Reads all rows of the source, with a column for every expression of the mapping.

    Args:
        settings: The write-back.
        database: The warehouse.
        dataset: The schema of table names that have none.
        folder: The base of relative file paths; the working directory by default.

    Raises:
        ConfigurationError: The source cannot be read, or lacks a column that the settings name.
        WarehouseBusyError: Another program has the warehouse open.
    """
    try:
        found = _read(settings, database, dataset, folder or Path())
    except WarehouseBusyError:
        raise
    except ExpressionFailedError as error:
        target = error.name.removeprefix(expression_column(""))
        message = f"Write-back {settings.name!r}: mapping.{target}: {error.reason}"
        raise ConfigurationError(without_payment_data(message)) from None
    except WarehouseError as error:
        # The driver's text may repeat a value that it could not convert.
        message = f"Write-back {settings.name!r}: its source cannot be read: "
        raise ConfigurationError(message + without_payment_data(str(error))) from None
    _check_columns(settings, found)
    return found


def _read(settings: WritebackSettings, database: Database, dataset: str, folder: Path) -> Selection:
    expressions = {
        expression_column(target): value.sql
        for target, value in settings.mapping.items()
        if isinstance(value, ExpressionSettings)
    }
    if settings.is_file:
        dialect = Dialect(delimiter=settings.delimiter, encoding=settings.encoding)
        return select_file(folder / settings.source.strip(), expressions, dialect)
    _check_no_file(settings, folder)
    if settings.is_query:
        query = settings.source.strip().rstrip(";")
        if expressions:
            query = with_columns(f"({query}\n)", expressions)
        # A query may read a file: DuckDB resolves relative paths from the working directory first.
        with _working_in(folder):
            return database.select(dataset, query)
    if not _IDENTIFIER.fullmatch(settings.source.strip()):
        message = (
            f"{settings.source!r} is not a table, a SELECT, or a .csv, .parquet or .ndjson file"
        )
        raise WarehouseError(message)
    # A name without a schema means the dataset. DuckDB could take a schema for the name of its own
    # database file.
    table = settings.source.strip().removeprefix(f"{dataset}.")
    return database.select(dataset, with_columns(table, expressions))


def _working_in(folder: Path) -> AbstractContextManager[None]:
    """Changes the working directory of the process to `folder`, unless it is that already."""
    return nullcontext() if folder.absolute() == Path.cwd() else chdir(folder)


def _check_no_file(settings: WritebackSettings, folder: Path) -> None:
    """Refuses other kinds of files: DuckDB would read them under a table's name, and guess how."""
    source = settings.source.strip()
    if source.startswith('"') and source.lower().endswith(
        ('.csv"', '.parquet"', '.json"', '.ndjson"', '.jsonl"')
    ):
        message = f"{source} names a file: write it without the inner quotes"
        raise WarehouseError(message)
    is_other = not settings.is_query and is_file(folder / source)
    if settings.refused_file is None and not is_other:
        return
    advice = "Save it as CSV UTF-8 (.csv)"
    if settings.refused_file == ".json":
        advice += ", or with one object per line as .ndjson"
    if _IDENTIFIER.fullmatch(source) and "." in source:
        schema, _, table = source.rpartition(".")
        advice += f'. If it is a table, quote its name: {schema}."{table}"'
    message = f"{source} is a kind of file that is not supported. {advice}"
    raise WarehouseError(message)


def _check_columns(settings: WritebackSettings, found: Selection) -> None:
    columns = found.columns
    known = [name for name in columns if not name.startswith("__writeback_")]
    for what, name in _named_columns(settings):
        if name not in known:
            message = (
                f"Write-back {settings.name!r}: {what} names the column {name!r}, but the source "
                f"has {', '.join(known)}"
            )
            if settings.is_file and len(known) == 1 and any(c in known[0] for c in ";\t|,"):
                message += f". {delimiter_hint(known, settings.delimiter)}"
            elif found.problems:
                message += f". Also, {found.problems[min(found.problems)]}"
            raise ConfigurationError(message)
    if len(set(columns)) < len(columns):
        double = next(name for name in columns if list(columns).count(name) > 1)
        message = f"Write-back {settings.name!r}: its source has two columns called {double!r}"
        raise ConfigurationError(message)


def _named_columns(settings: WritebackSettings) -> Iterable[tuple[str, str]]:
    yield "key", settings.key
    for target, value in settings.mapping.items():
        if isinstance(value, str):
            yield f"mapping.{target} (a constant would be {{ value = ... }})", value
        elif isinstance(value, ColumnSettings | ReferenceSettings) and value.column is not None:
            yield f"mapping.{target}", value.column
    for name in settings.exclude:
        yield "exclude", name
    if isinstance(settings.group_by, str):
        yield "group_by", settings.group_by
