"""Opening a DuckDB file that another program may have open for a moment."""

import logging
import time
from pathlib import Path

import duckdb

logger = logging.getLogger(__name__)

WAIT_SECONDS = 60.0
"""How long to wait for another program: a reader, or an editor that looks at the file."""

_POLL_SECONDS = 0.1


def connect(file: Path | str, *, read_only: bool = False) -> duckdb.DuckDBPyConnection:
    """A connection to `file`, once no other program keeps it from being opened.

    Raises:
        duckdb.Error: It cannot be opened, or was still taken after `WAIT_SECONDS`.
    """
    deadline = time.monotonic() + WAIT_SECONDS
    has_told = False
    while True:
        try:
            return duckdb.connect(str(file), read_only=read_only)
        except duckdb.Error as error:
            if not is_taken(error) or time.monotonic() >= deadline:
                raise
        if not has_told:
            logger.warning(
                "Another program has %s open; waiting up to %.0f s for it", file, WAIT_SECONDS
            )
            has_told = True
        time.sleep(_POLL_SECONDS)


def is_taken(error: BaseException) -> bool:
    """Whether DuckDB says that another process has the file."""
    return "Could not set lock" in str(error)
