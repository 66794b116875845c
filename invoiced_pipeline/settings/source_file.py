"""Files that can be a write-back's source: endings, delimiters and encodings."""

import codecs

_FILES = (".csv", ".parquet", ".ndjson", ".jsonl")
_OTHER_FILES = (
    *(".xlsx", ".xls", ".xlsm", ".xlsb", ".ods", ".numbers", ".json", ".geojson", ".tsv", ".tab"),
    *(".psv", ".txt", ".dat", ".gz", ".zip", ".bz2", ".xz", ".zst", ".7z", ".tar", ".avro"),
    *(".orc", ".feather", ".arrow", ".xml", ".html", ".yaml", ".yml", ".pdf", ".sav"),
    *(".sqlite", ".duckdb", ".mdb", ".accdb", ".dbf"),
)
"""Endings of files that are refused: DuckDB would guess, or download an extension for them."""
_NO_TEXT_CODECS = frozenset(
    {"idna", "punycode", "undefined", "unicode_escape", "raw_unicode_escape"}
)


def is_read(source: str) -> bool:
    """Whether a source has the ending of a supported file."""
    return source.strip().lower().endswith(_FILES)


def refused_ending(source: str) -> str | None:
    """The ending of a file that is refused; None if the source has no such ending."""
    name = source.strip().lower()
    return next((each for each in _OTHER_FILES if name.endswith(each)), None)


def checked_delimiter(delimiter: str) -> str:
    """Checks a delimiter.

    Raises:
        ValueError: It is a quote or the end of a line.
    """
    if delimiter in '"\r\n\x00':
        message = "it cannot be a quote or the end of a line, which have a meaning of their own"
        raise ValueError(message)
    return delimiter


def checked_encoding(encoding: str) -> str:
    """Checks an encoding.

    Raises:
        ValueError: Python has no such encoding, or it is not one of text.
    """
    try:
        found = codecs.lookup(encoding)
    except (LookupError, ValueError):
        found = None
    is_text = found is not None and getattr(found, "_is_text_encoding", True)
    if found is None or not is_text or found.name.replace("-", "_") in _NO_TEXT_CODECS:
        message = f"there is no encoding {encoding!r}. Examples: utf-8, utf-16, cp1252"
        raise ValueError(message)
    return encoding
