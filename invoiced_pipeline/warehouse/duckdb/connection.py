"""Opening a DuckDB file that another program may have open for a moment."""

import logging
from pathlib import Path

import duckdb
import tenacity

from invoiced_pipeline.settings import STORAGE_VERSION
from invoiced_pipeline.warehouse.duckdb.storage_format import make_file

logger = logging.getLogger(__name__)

WAIT_SECONDS = 60.0
"""How long to wait for another program: a reader, or an editor that looks at the file."""

_POLL_SECONDS = 0.1


def connect(
    file: Path | str, *, read_only: bool = False, storage_version: str = STORAGE_VERSION
) -> duckdb.DuckDBPyConnection:
    """Opens `file`, and waits while another program keeps it from being opened.

    Args:
        file: The database. Unless it is only read, it is made if it does not exist.
        read_only: Whether nothing will be written.
        storage_version: The format of a new file; an existing one keeps its own.

    Raises:
        duckdb.Error: It cannot be opened, or was still taken after `WAIT_SECONDS`.
        WarehouseNotWritableError: The DuckDB that is installed cannot make a file in that format.
    """

    def announce(state: tenacity.RetryCallState) -> None:
        if state.attempt_number == 1:
            logger.warning(
                "Another program has %s open; waiting up to %.0f s for it. Close it there to go on "
                "at once",
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
        make_file(file, storage_version)
    return duckdb.connect(file, read_only=read_only)


def is_taken(error: BaseException) -> bool:
    """Whether DuckDB says that another process has the file."""
    return isinstance(error, duckdb.Error) and "Could not set lock" in str(error)


def problem_message(file: Path | str, error: BaseException, problem: str) -> str:
    """Says what keeps `file` from being opened, and what to do.

    Args:
        file: The database.
        error: Why DuckDB did not open it.
        problem: What is said unless a newer DuckDB has written the file.
    """
    if "newer version of DuckDB" not in str(error):
        return problem
    return (
        f"{file} is in the format of a newer DuckDB than {duckdb.__version__}, which is installed. "
        "Install the newest duckdb, or convert the file where that is installed: invoiced-pipeline "
        f"move --storage-version {STORAGE_VERSION}"
    )


def busy_message(file: Path | str, error: BaseException) -> str:
    """Says which program still has `file` open, as DuckDB's error names it, and what to do."""
    return (
        f"Another program has {file} open: {error}. Close it (DuckDB admits one writing process, "
        "and then no reader beside it), then run again"
    )
