"""The writer's lock of a DuckDB file, which ends with its process."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path

from filelock import FileLock, Timeout

from invoiced_pipeline.exceptions import WarehouseBusyError, WarehouseNotWritableError
from invoiced_pipeline.warehouse.database import Holder

_log = logging.getLogger(__name__)
_POLL_SECONDS = 0.5


@contextmanager
def file_lock(path: Path, run_id: str, what: str, *, wait: bool = False) -> Iterator[Holder | None]:
    """Holds the lock at `path`; yields the last holder if its process died with the lock.

    The kernel releases the lock when its process ends, however it ends. The name of a run that died
    stays in the file.

    Args:
        path: The lock's file.
        run_id: The run that writes.
        what: Name in messages of what is locked.
        wait: Whether to wait until another run releases it, without limit.

    Raises:
        WarehouseBusyError: Another run holds it, and this one does not wait; the text names that
            run.
        WarehouseNotWritableError: The folder cannot be written.
    """
    lock = FileLock(path, timeout=0, fallback_to_soft=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _acquire(lock, path, what, wait=wait)
    except OSError as error:
        message = f"Cannot write in {path.parent}: {error.strerror}. Check path and permissions"
        raise WarehouseNotWritableError(message) from error
    try:
        dead = read_holder(path)
        path.write_text(json.dumps(asdict(Holder.of_this_process(run_id))), encoding="utf-8")
        yield dead
    finally:
        try:
            path.write_text("", encoding="utf-8")
        finally:
            lock.release()


def living_holder(path: Path) -> Holder | None:
    """Returns who holds the lock at this moment; None if nobody does.

    A run that died does not hold it: its name is still in the file, but the kernel released the
    lock. If the file names nobody, the lock is not tried: that would refuse a run that takes it at
    that moment.
    """
    if read_holder(path) is None:
        return None
    lock = FileLock(path, timeout=0, fallback_to_soft=False)
    try:
        lock.acquire()
    except Timeout:
        return read_holder(path)
    lock.release()
    return None


def read_holder(path: Path) -> Holder | None:
    """Returns the holder named in the lock's file, alive or dead; None if there is none."""
    try:
        return Holder(**json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _acquire(lock: FileLock, path: Path, what: str, *, wait: bool) -> None:
    try:
        lock.acquire()
    except Timeout:
        who = read_holder(path) or "a run"
        text = f"another run writes this warehouse: {who} holds {what}"
        if not wait:
            message = f"{text}. Nothing was done; run again when it has ended"
            raise WarehouseBusyError(message) from None
        _log.info("Waiting: %s", text)
        lock.acquire(timeout=-1, poll_interval=_POLL_SECONDS)
