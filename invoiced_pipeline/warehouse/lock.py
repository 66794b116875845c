"""The writer's lock: one writing process per warehouse, by a lock that dies with its process."""

import json
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from invoiced_pipeline.exceptions import WarehouseBusyError, WarehouseNotWritableError

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the lock, as written in its file.

    Attributes:
        run_id: The Dagster run.
        pid: Its process on this machine.
        since: When it took the lock, ISO, UTC.
    """

    run_id: str
    pid: int
    since: str


def lock_path(warehouse: Path) -> Path:
    """The lock's file, beside the warehouse."""
    return warehouse.with_name(f"{warehouse.name}.lock")


@contextmanager
def writer_lock(warehouse: Path, run_id: str, *, wait: bool = False) -> Iterator[Holder | None]:
    """Holds the right to write `warehouse`; yields the holder that died holding it, if one did.

    The kernel frees the lock when its process ends, however it ends; what stays in the file then
    is the name of the run that did not live to clear it.

    Args:
        warehouse: The DuckDB file.
        run_id: The run that writes.
        wait: Whether to wait for another run that holds it, however long.

    Raises:
        WarehouseBusyError: Another run holds it, and this one does not wait; the text says which.
        WarehouseNotWritableError: The folder cannot be written.
    """
    path = lock_path(warehouse)
    lock = FileLock(path, timeout=0, fallback_to_soft=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _acquire(lock, warehouse, wait=wait)
    except OSError as error:
        message = f"Cannot write in {path.parent}: {error.strerror}. Check path and permissions"
        raise WarehouseNotWritableError(message) from error
    try:
        dead = read_holder(warehouse)
        mine = Holder(run_id, os.getpid(), datetime.now(UTC).isoformat(timespec="seconds"))
        path.write_text(json.dumps(asdict(mine)), encoding="utf-8")
        yield dead
    finally:
        try:
            path.write_text("", encoding="utf-8")
        finally:
            lock.release()


def current_holder(warehouse: Path) -> Holder | None:
    """Who writes the warehouse at this moment; None when nobody does.

    A holder that died is none: its name is still in the file, but the kernel freed the lock. A file
    that names nobody is believed, for trying the lock would refuse a run that just takes it.
    """
    if read_holder(warehouse) is None:
        return None
    lock = FileLock(lock_path(warehouse), timeout=0, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        return read_holder(warehouse)
    lock.release()
    return None


def read_holder(warehouse: Path) -> Holder | None:
    """The holder named in the lock's file, alive or dead; None when there is none."""
    try:
        return Holder(**json.loads(lock_path(warehouse).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _acquire(lock: FileLock, warehouse: Path, *, wait: bool) -> None:
    try:
        lock.acquire()
    except Timeout:
        holder = read_holder(warehouse)
        who = f"run {holder.run_id} (pid {holder.pid}, since {holder.since})" if holder else "a run"
        what = f"another run writes this warehouse: {who} holds {warehouse}"
        if not wait:
            message = f"{what}. Nothing was done; run again when it has ended"
            raise WarehouseBusyError(message) from None
        _log.info("Waiting: %s", what)
        lock.acquire(timeout=-1, poll_interval=_POLL_SECONDS)
