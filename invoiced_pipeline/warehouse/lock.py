"""The writer's lock: one writing process per warehouse, by a lock that dies with its process."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from invoiced_pipeline.exceptions import WarehouseBusyError, WarehouseNotWritableError


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
def writer_lock(warehouse: Path, run_id: str) -> Iterator[Holder | None]:
    """Holds the right to write `warehouse`; yields the holder that died holding it, if one did.

    The kernel frees the lock when its process ends, however it ends; what stays in the file then
    is the name of the run that did not live to clear it.

    Raises:
        WarehouseBusyError: Another run holds it; the text says which.
        WarehouseNotWritableError: The folder cannot be written.
    """
    path = lock_path(warehouse)
    lock = FileLock(path, timeout=0, fallback_to_soft=False)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout:
        raise WarehouseBusyError(_describe(warehouse, read_holder(warehouse))) from None
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


def read_holder(warehouse: Path) -> Holder | None:
    """The holder named in the lock's file, alive or dead; None when there is none."""
    try:
        return Holder(**json.loads(lock_path(warehouse).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def _describe(warehouse: Path, holder: Holder | None) -> str:
    who = f"run {holder.run_id} (pid {holder.pid}, since {holder.since})" if holder else "a run"
    return (
        f"another run writes this warehouse: {who} holds {warehouse}. Nothing was done; run again "
        "when it has ended"
    )
