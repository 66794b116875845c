"""Which files can be a source, and how a text file may be written."""

import codecs

_FILES = (".csv", ".parquet", ".ndjson", ".jsonl")
_OTHER_FILES = (
    *(".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers", ".json", ".geojson", ".tsv", ".tab"),
    *(".psv", ".txt", ".dat", ".gz", ".zip", ".bz2", ".xz", ".zst", ".7z", ".tar", ".avro"),
    *(".orc", ".feather", ".arrow", ".xml", ".html", ".yaml", ".yml", ".pdf", ".sav"),
    *(".sqlite", ".duckdb", ".mdb", ".accdb", ".dbf"),
)
"""Endings of files that are not read: DuckDB would guess, or fetch an extension for them."""
_NO_TEXT_CODECS = frozenset(
    {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"}
)


def is_read(source: str) -> bool:
    """Whether a source has the ending of a file that is read."""
    return source.strip().lower().endswith(_FILES)


def refused_ending(source: str) -> str | None:
    """The ending of a kind of file that is not read; None where it has none of them."""
    name = source.strip().lower()
    return next((each for each in _OTHER_FILES if name.endswith(each)), None)


def checked_delimiter(delimiter: str) -> str:
    """The delimiter, where it can be one.

    Raises:
        ValueError: It is a quote or ends a line.
    """
    if delimiter in '"\r\n\x00':
        message = "it cannot be a quote or the end of a line, which have their own meaning"
        raise ValueError(message)
    return delimiter


def checked_encoding(encoding: str) -> str:
    """The encoding, where Python knows it.

    Raises:
        ValueError: It does not, or it is no encoding of texts.
    """
    try:
        found = codecs.lookup(encoding)
    except (LookupError, ValueError):
        found = None
    is_text = found is not None and getattr(found, "_is_text_encoding", True)
    if found is None or not is_text or found.name.replace("-", "_") in _NO_TEXT_CODECS:
        message = f"no encoding is called {encoding!r}. Examples: utf-8, utf-16, cp1252"
        raise ValueError(message)
    return encoding
