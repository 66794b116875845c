"""Connections to a DuckDB file that another program may have open for a moment."""

import logging
from pathlib import Path

import duckdb
import tenacity

from invoiced_pipeline.settings import STORAGE_VERSION
from invoiced_pipeline.warehouse.duckdb.storage_format import create_file

logger = logging.getLogger(__name__)

WAIT_SECONDS = 60.0
"""How long to wait for another program, such as a reader or an SQL editor."""

_POLL_SECONDS = 0.1


def connect(
    file: Path | str, *, read_only: bool = False, storage_version: str = STORAGE_VERSION
) -> duckdb.DuckDBPyConnection:
    """Opens `file`; waits while another program has it open.

    Args:
        file: The database. It is created if it does not exist, unless it is only read.
        read_only: Whether nothing will be written.
        storage_version: The format of a new file; an existing file keeps its own.

    Raises:
        duckdb.Error: It cannot be opened, or was still taken after `WAIT_SECONDS`.
        WarehouseNotWritableError: The installed DuckDB cannot create a file in that format.
    """

    def announce(state: tenacity.RetryCallState) -> None:
        if state.attempt_number == 1:
            logger.warning(
                "Another program has %s open; waiting up to %.0f s for it. Close it there to "
                "continue at once",
                file,
                WAIT_SECONDS,
            )

    return tenacity.Retrying(
        retry=tenacity.retry_if_exception(is_taken),
        stop=tenacity.stop_after_delay(WAIT_SECONDS),
        wait=tenacity.wait_fixed(_POLL_SECONDS),
        before_sleep=announce,
        reraise=True,
    )(_open, str(file), read_only=read_only, storage_version=storage_version)


def _open(file: str, *, read_only: bool, storage_version: str) -> duckdb.DuckDBPyConnection:
    if not read_only and not Path(file).exists():
        create_file(file, storage_version)
    return duckdb.connect(file, read_only=read_only)


def is_taken(error: BaseException) -> bool:
    """Returns whether DuckDB says that another process has the file open."""
    return isinstance(error, duckdb.Error) and "Could not set lock" in str(error)


def problem_message(file: Path | str, error: BaseException, problem: str) -> str:
    """Returns `problem`, or what to do if a newer DuckDB has written the file.

    Args:
        file: The database.
        error: DuckDB's error.
        problem: The message for any other error.
    """
    if "newer version of DuckDB" not in str(error):
        return problem
    return (
        f"{file} is in the format of a newer DuckDB than {duckdb.__version__}, which is installed. "
        "Install the newest duckdb, or convert the file where that is installed: invoiced-pipeline "
        f"move --storage-version {STORAGE_VERSION}"
    )


def busy_message(file: Path | str, error: BaseException) -> str:
    """Returns which program still has `file` open, by DuckDB's error, and what to do."""
    return (
        f"Another program has {file} open: {error}. Close it (DuckDB allows one writing process, "
        "and no readers meanwhile), then run again"
    )
