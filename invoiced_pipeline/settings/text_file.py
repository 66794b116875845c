"""Text of `.env` and `invoiced.toml`: UTF-8, with or without a byte order mark."""

import codecs
from pathlib import Path

from invoiced_pipeline.exceptions import ConfigurationError

# UTF-32 first: its little-endian mark begins with that of UTF-16.
_MARKS = {
    codecs.BOM_UTF32_LE: "UTF-32",
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}


def read_utf8(path: Path) -> str:
    """Reads a settings file.

    UTF-16 is rejected: Dagster reads `.env` as UTF-8, and TOML is UTF-8 by definition.

    Raises:
        ConfigurationError: The file cannot be read or has another encoding. The message names the
            file and line but repeats nothing from the file, which may contain secrets.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise ConfigurationError(msg) from error
    encoding = next((name for mark, name in _MARKS.items() if content.startswith(mark)), None)
    if encoding is None and b"\0" in content:
        encoding = "UTF-16"  # written without a mark: every other byte of plain text is zero
    if encoding is not None:
        msg = f"{path}: the file is encoded as {encoding}: save it as UTF-8"
        raise ConfigurationError(msg)
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
    msg = (
        f"{path}, line {line}: not UTF-8, but another encoding such as Windows-1252 (cp1252): "
        "save the file as UTF-8"
    )
    # Raised outside the except block: the decoding error contains the file's bytes.
    raise ConfigurationError(msg)
