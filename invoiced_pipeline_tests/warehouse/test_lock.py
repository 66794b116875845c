"""The writer's lock, between real processes."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from invoiced_pipeline.exceptions import WarehouseBusyError, WarehouseNotWritableError
from invoiced_pipeline.warehouse.lock import lock_path, read_holder, writer_lock

HOLD = """
import sys
from pathlib import Path
from invoiced_pipeline.warehouse.lock import writer_lock
with writer_lock(Path(sys.argv[1]), sys.argv[2]) as dead:
    print("holding", dead.run_id if dead else "-", flush=True)
    sys.stdin.readline()
"""


@contextmanager
def holding(warehouse: Path, run_id: str) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds the lock until its input ends."""
    process = subprocess.Popen(  # noqa: S603 - our own script
        [sys.executable, "-c", HOLD, str(warehouse), run_id],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("holding")
        yield process
    finally:
        process.kill()
        process.communicate()


def test_second_process_is_told_who_holds_it(warehouse: Path) -> None:
    with holding(warehouse, "run-1") as process:
        for _ in range(2):  # asking must not blot out the holder's name
            with (
                pytest.raises(WarehouseBusyError, match="another run writes") as caught,
                writer_lock(warehouse, "run-2"),
            ):
                pass
            assert "run-1" in str(caught.value)
            assert str(process.pid) in str(caught.value)


def test_end_of_the_holder_frees_it_without_a_trace(warehouse: Path) -> None:
    with holding(warehouse, "run-1") as process:
        process.communicate("\n")
        assert process.returncode == 0
    assert read_holder(warehouse) is None
    with writer_lock(warehouse, "run-2") as dead:
        assert dead is None


def test_killed_holder_frees_it_and_the_next_finds_its_name(warehouse: Path) -> None:
    with holding(warehouse, "run-1") as process:
        with pytest.raises(WarehouseBusyError), writer_lock(warehouse, "run-0"):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        with writer_lock(warehouse, "run-2") as dead:
            assert dead is not None
            assert (dead.run_id, dead.pid) == ("run-1", process.pid)
            mine = read_holder(warehouse)
            assert mine is not None
            assert (mine.run_id, mine.pid) == ("run-2", os.getpid())
    with writer_lock(warehouse, "run-3") as dead:
        assert dead is None


def test_failure_inside_gives_it_back(warehouse: Path) -> None:
    with pytest.raises(KeyboardInterrupt), writer_lock(warehouse, "run-1"):
        raise KeyboardInterrupt
    with writer_lock(warehouse, "run-2") as dead:
        assert dead is None


def test_same_process_is_no_exception(warehouse: Path) -> None:
    with (
        writer_lock(warehouse, "run-1"),
        pytest.raises(WarehouseBusyError, match="run-1"),
        writer_lock(warehouse, "run-2"),
    ):
        pass


def test_other_warehouses_are_free(warehouse: Path) -> None:
    with writer_lock(warehouse, "run-1"), writer_lock(warehouse.with_name("b.duckdb"), "run-2"):
        assert lock_path(warehouse).exists()


@pytest.mark.parametrize("content", ["", "nonsense", "[]", '{"pid": 1}', "5", "\x00\xff"])
def test_file_that_names_nobody_is_no_obstacle(warehouse: Path, content: str) -> None:
    lock_path(warehouse).write_bytes(content.encode("latin-1"))
    with writer_lock(warehouse, "run-1") as dead:
        assert dead is None
        assert json.loads(lock_path(warehouse).read_text())["run_id"] == "run-1"


def test_folder_is_made(tmp_path: Path) -> None:
    with writer_lock(tmp_path / "new" / "deeper" / "x.duckdb", "run-1"):
        assert (tmp_path / "new" / "deeper").is_dir()


def test_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(WarehouseNotWritableError, match="file"),
        writer_lock(tmp_path / "file" / "x.duckdb", "run-1"),
    ):
        pass
