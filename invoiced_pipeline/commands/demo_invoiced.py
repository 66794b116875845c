"""The emulator of the demo: started, or found running, with the records of one folder."""

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
    """An emulator that answers.

    Attributes:
        url: Where it answers.
        had_records: Whether its records were there before.
        note: Why it is not simply a new one at the address that was asked for; None when it is.
    """

    url: str
    had_records: bool
    note: str | None = None


@contextmanager
def only_demo(folder: Path) -> Iterator[None]:
    """Keeps a second demonstration out of `folder` while the block runs.

    Raises:
        WarehouseBusyError: Another one is under way there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lock = FileLock(folder / "demo.lock", timeout=0)
    try:
        lock.acquire()
    except Timeout as error:
        message = (
            f"Another demo (make run) is under way in {folder.resolve()}: both would write the "
            "same warehouse. Nothing was done; run it again when the other one has ended"
        )
        raise WarehouseBusyError(message) from error
    try:
        yield
    finally:
        lock.release()


@contextmanager
def local_invoiced(url: str, database: Path, *, keep: bool = True) -> Iterator[LocalInvoiced]:
    """Has the emulator serve the records of `database` while the block runs.

    One that serves them already, as `make dev` starts it, is used. Where `url` belongs to another
    program, or to the emulator of another folder, a free port is taken: its records are not ours.

    Args:
        url: Where it is to be.
        database: Its records.
        keep: Whether records of an earlier time are used. Where the warehouse is gone, so is the
            ledger of what was written into them.

    Raises:
        HostUnreachableError: The emulator did not start.
    """
    served = _served_at(url)
    if served == str(database.resolve()):
        yield LocalInvoiced(url, had_records=True, note="It was running already, and is used.")
        return
    note = None
    if served is not None or not _is_free(url):
        whose = f"the local Invoiced of {served}" if served else "another program"
        note = f"{url} belongs to {whose}, so this one took a free port."
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
    """The same settings, whose first connection is at `url`."""
    first = settings.first.model_copy(update={"api_url": url})
    # A copy takes along what is cached, so that `first` has to be replaced as well.
    changes = {"connection": [first, *settings.connection[1:]], "first": first}
    return settings.model_copy(update=changes)


def _served_at(url: str) -> str | None:
    """The database of the emulator that answers at `url`; None when no emulator does."""
    try:
        answer = urllib3.request("GET", f"{url}/health", timeout=2, retries=False)
        health = answer.json() if answer.status == 200 else None
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
