"""The tables that a write-back reads, found in its settings without opening the warehouse."""

import re
from collections.abc import Collection, Iterable, Iterator

from invoiced_pipeline.catalog.operations import Field, operation
from invoiced_pipeline.settings import WritebackSettings

_NAME = r'(?:\w+|"[^"]+")(?:\.(?:\w+|"[^"]+"))*'
_ALIAS = r"(?:\s+(?:as\s+)?(?!on\b|using\b|where\b|join\b|left\b|inner\b)\w+)?"
_TABLES = re.compile(
    rf"\b(?:from|join)\s+({_NAME}{_ALIAS}(?:\s*,\s*{_NAME}{_ALIAS})*)", re.IGNORECASE
)
_NO_SQL = re.compile(r"'(?:[^']|'')*'|--[^\n]*|/\*.*?\*/", re.DOTALL)
_OTHER_FROM = re.compile(
    r"\b(?:extract|trim|substring|overlay)\s*\([^()]*|\bdistinct\s+from\b", re.IGNORECASE
)
"""Where no table follows FROM."""


def source_tables(
    settings: WritebackSettings, dataset: str, known: Collection[str]
) -> list[tuple[str, str]]:
    """Schema and name of the tables in the source, each once; none for a file.

    For display only: a query is not parsed but searched for the names after FROM and JOIN.

    Args:
        settings: The write-back.
        dataset: The schema of names that have none.
        known: The dataset's tables. Other names without a schema, such as those of a WITH, are
            left out.
    """
    if settings.is_file:
        return []
    found: dict[tuple[str, str], None] = {}
    for name in _names(settings):
        *schemas, table = (part.strip('"') for part in re.findall(r'"[^"]+"|\w+', name))
        schema = schemas[-1] if schemas else dataset
        if schema != dataset or table in known:
            found[schema, table] = None
    return list(found)


def checked_tables(settings: WritebackSettings) -> list[str]:
    """The replica's tables against which rows are checked before a push."""
    if not settings.check_replica:
        return []
    of = operation(settings.operation)
    names = [of.table, *_referred((*of.parameters, *of.fields))]
    return list(dict.fromkeys(name for name in names if name is not None))


def _names(settings: WritebackSettings) -> Iterator[str]:
    if not settings.is_query:
        yield settings.source.strip()
        return
    sql = _OTHER_FROM.sub(" ", _NO_SQL.sub("''", settings.source))
    for tables in _TABLES.findall(sql):
        for table in tables.split(","):
            yield table.split()[0]


def _referred(fields: Iterable[Field]) -> Iterator[str | None]:
    for field in fields:
        yield field.refers_to
        yield from _referred(field.elements)
