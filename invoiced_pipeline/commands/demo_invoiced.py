"""The demo's local Invoiced: the emulator over the records of one folder."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import urllib3
from filelock import FileLock, Timeout

from invoiced_pipeline.exceptions import (
    ConfigurationError,
    HostUnreachableError,
    WarehouseBusyError,
)
from invoiced_pipeline.settings import Settings

_READY_WITHIN = 120.0


@dataclass(frozen=True, slots=True)
class LocalInvoiced:
    """A running emulator.

    Attributes:
        url: Its address.
        had_records: Whether it has records of an earlier demo.
        note: Why it is not new, or not at the wanted address; None if it is both.
    """

    url: str
    had_records: bool
    note: str | None = None


@contextmanager
def only_demo(folder: Path) -> Iterator[None]:
    """Prevents a second demo in `folder` while the block runs.

    Raises:
        WarehouseBusyError: Another demo is running there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "demo.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        message = (
            f"Another demo (make run) is running in {folder.resolve()}, and both would write the "
            "same warehouse. Nothing was done; run it again when the other one has ended"
        )
        raise WarehouseBusyError(message) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def local_invoiced(url: str, database: Path, *, keep: bool = True) -> Iterator[LocalInvoiced]:
    """Serves the records of `database` with the emulator while the block runs.

    An emulator that already serves them, such as that of `make dev`, is used. If another program
    uses the address, or the emulator of another folder with its own records, the port is a free
    one.

    Args:
        url: The wanted address.
        database: The file of the records.
        keep: Whether to keep records of an earlier demo. Without the warehouse there is no ledger
            of what was written to them.

    Raises:
        HostUnreachableError: The emulator did not start.
    """
    served = _served_at(url)
    if served == str(database.resolve()):
        yield LocalInvoiced(url, had_records=True, note="It was already running.")
        return
    note = None
    if served is not None or not _is_free(url):
        whose = f"the local Invoiced of {served}" if served else "another program"
        note = f"{url} belongs to {whose}, so this one uses a free port."
        url = _free_url(url)
    if not keep:
        database.unlink(missing_ok=True)
    known = database.exists()
    arguments = ["--port", str(_port(url)), "--database", str(database)]
    process = subprocess.Popen(  # noqa: S603 - this Python, and arguments of our own
        [sys.executable, "-m", "invoiced_pipeline.cli", "emulator", *arguments],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _wait_until_served(url, database, process)
        yield LocalInvoiced(url, known, note)
    finally:
        process.terminate()
        process.wait(timeout=20)


def at_address(settings: Settings, url: str) -> Settings:
    """Returns the settings with the first connection at `url`."""
    first = settings.first.model_copy(update={"api_url": url})
    # A copy keeps cached properties, so `first` must be replaced, too.
    changes = {"connection": [first, *settings.connection[1:]], "first": first}
    return settings.model_copy(update=changes)


def _served_at(url: str) -> str | None:
    """Returns the database of the emulator at `url`; None if there is no emulator."""
    try:
        response = urllib3.request("GET", f"{url}/health", timeout=2, retries=False)
        health = response.json() if response.status == 200 else None
    except (urllib3.exceptions.HTTPError, ValueError):
        return None
    return health.get("database") if isinstance(health, dict) else None


def _is_free(url: str) -> bool:
    try:
        with socket.create_server((urlsplit(url).hostname or "", _port(url))):
            return True
    except OSError:
        return False


def _port(url: str) -> int:
    port = urlsplit(url).port
    if port is None:
        message = f"{url} names no port: the demo needs one for the local Invoiced"
        raise ConfigurationError(message)
    return port


def _free_url(url: str) -> str:
    host = urlsplit(url).hostname
    with socket.create_server((host or "", 0)) as free:
        return f"http://{host}:{free.getsockname()[1]}"


def _wait_until_served(url: str, database: Path, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + _READY_WITHIN
    while _served_at(url) != str(database.resolve()):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            said = process.stderr.read() if process.stderr else ""
            message = f"The local Invoiced did not start on {url}: {said.strip()[-500:]}"
            raise HostUnreachableError(message, path="/health")
        time.sleep(0.1)
