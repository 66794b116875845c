"""The text of a source file, in the encoding of the settings, which is never detected."""

import codecs
from dataclasses import dataclass
from pathlib import Path

from invoiced_pipeline.exceptions import WarehouseError

_SAVE = 'Save it as UTF-8 (in Excel: "CSV UTF-8"), or set encoding'
_MARKS = (
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8"),
)
"""Byte order marks; UTF-32 first, because one of its marks begins like one of UTF-16."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dialect:
    """Delimiter and encoding of a text file.

    Attributes:
        delimiter: What separates the fields of a CSV file.
        encoding: A name that Python knows.
    """

    delimiter: str = ","
    encoding: str = "utf-8"


def read_text(path: Path, encoding: str) -> str:
    """Returns the text of a file with its own line ends, without a byte order mark.

    Raises:
        WarehouseError: It cannot be read, or is in another encoding; the text names the line.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror or error}"
        raise WarehouseError(message) from None
    _check_mark(path, data, encoding)
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        line = data[: error.start].decode(encoding, "ignore").count("\n") + 1
        other = "cp1252" if codecs.lookup(encoding).name == "utf-8" else "utf-8"
        message = (
            f"line {line} of {path.name} is not {_shown(encoding)} (byte "
            f"0x{data[error.start]:02X}). {_SAVE}, for example encoding = {other!r}"
        )
        raise WarehouseError(message) from None


def _check_mark(path: Path, data: bytes, encoding: str) -> None:
    """Refuses a file whose first bytes show that it is in another encoding."""
    name = codecs.lookup(encoding).name
    found = next((codec for mark, codec in _MARKS if data.startswith(mark)), None)
    if found is not None and not name.startswith(found):
        message = (
            f"{path.name} begins with the byte order mark of {_shown(found)}, and encoding is "
            f"{encoding!r}. {_SAVE} = {found!r}"
        )
        raise WarehouseError(message)
    # No text has U+0000 in its header, but half the bytes of plain UTF-16 are zero.
    if not name.startswith(("utf-16", "utf-32")) and b"\x00" in data.partition(b"\n")[0][:4096]:
        message = (
            f"the first line of {path.name} has bytes of zero, as UTF-16 has them, and encoding "
            f"is {encoding!r}. {_SAVE} = 'utf-16'"
        )
        raise WarehouseError(message)


def _shown(encoding: str) -> str:
    return encoding.upper().replace("_", "-")
