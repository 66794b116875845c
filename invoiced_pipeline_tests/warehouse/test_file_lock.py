"""The writer's lock, between real processes."""

import json
import logging
import os
import signal
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from invoiced_pipeline.exceptions import WarehouseBusyError, WarehouseNotWritableError
from invoiced_pipeline.warehouse.database import Holder
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline.warehouse.duckdb.file_lock import read_holder
from invoiced_pipeline_tests.lock_holder import EndsHolder, holding

pytestmark = pytest.mark.duckdb("its lock is a file")


def lock_path(warehouse: Path) -> Path:
    return DuckDbDatabase(warehouse).beside("lock")


def writer_lock(
    warehouse: Path, run_id: str, *, wait: bool = False
) -> AbstractContextManager[Holder | None]:
    return DuckDbDatabase(warehouse).writer_lock("invoiced", run_id, wait=wait)


def current_holder(warehouse: Path) -> Holder | None:
    return DuckDbDatabase(warehouse).current_holder("invoiced")


def test_second_process_learns_who_holds_it(warehouse: Path) -> None:
    with holding(warehouse, "run-1") as process:
        for _ in range(2):  # a second refusal must not erase the holder's name
            with (
                pytest.raises(WarehouseBusyError, match="another run writes") as caught,
                writer_lock(warehouse, "run-2"),
            ):
                pass
            assert "run-1" in str(caught.value)
            assert str(process.pid) in str(caught.value)


def test_a_holder_that_ends_releases_the_lock_and_its_name(warehouse: Path) -> None:
    with holding(warehouse, "run-1") as process:
        process.communicate("\n")
        assert process.returncode == 0
    assert read_holder(lock_path(warehouse)) is None
    with writer_lock(warehouse, "run-2") as dead:
        assert dead is None


def test_a_killed_holder_releases_the_lock_and_leaves_its_name(warehouse: Path) -> None:
    with holding(warehouse, "run-1") as process:
        with pytest.raises(WarehouseBusyError), writer_lock(warehouse, "run-0"):
            pass
        process.send_signal(signal.SIGKILL)
        process.wait()
        with writer_lock(warehouse, "run-2") as dead:
            assert dead is not None
            assert (dead.run_id, dead.pid) == ("run-1", process.pid)
            mine = read_holder(lock_path(warehouse))
            assert mine is not None
            assert (mine.run_id, mine.pid) == ("run-2", os.getpid())
    with writer_lock(warehouse, "run-3") as dead:
        assert dead is None


def test_failure_inside_releases_the_lock(warehouse: Path) -> None:
    with pytest.raises(KeyboardInterrupt), writer_lock(warehouse, "run-1"):
        raise KeyboardInterrupt
    with writer_lock(warehouse, "run-2") as dead:
        assert dead is None


def test_the_lock_also_holds_inside_one_process(warehouse: Path) -> None:
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
def test_lock_file_without_a_name_is_accepted(warehouse: Path, content: str) -> None:
    lock_path(warehouse).write_bytes(content.encode("latin-1"))
    with writer_lock(warehouse, "run-1") as dead:
        assert dead is None
        assert json.loads(lock_path(warehouse).read_text())["run_id"] == "run-1"


def test_folder_is_created(tmp_path: Path) -> None:
    with writer_lock(tmp_path / "new" / "deeper" / "x.duckdb", "run-1"):
        assert (tmp_path / "new" / "deeper").is_dir()


def test_folder_that_is_a_file_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with (
        pytest.raises(WarehouseNotWritableError, match="file"),
        writer_lock(tmp_path / "file" / "x.duckdb", "run-1"),
    ):
        pass


def test_current_holder_is_alive(warehouse: Path) -> None:
    assert current_holder(warehouse) is None
    with holding(warehouse, "run-1") as process:
        for _ in range(2):  # asking does not take the lock
            holder = current_holder(warehouse)
            assert holder is not None
            assert (holder.run_id, holder.pid) == ("run-1", process.pid)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert current_holder(warehouse) is None
    # Its name is left for the next run, which marks it as failed in Dagster.
    with writer_lock(warehouse, "run-2") as dead:
        assert dead is not None
        assert dead.run_id == "run-1"
    assert current_holder(warehouse) is None


def test_waiting_ends_with_the_holder(
    warehouse: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)
    with holding(warehouse, "run-1") as process:
        # It is released only after the other has logged that it waits.
        log = logging.getLogger("invoiced_pipeline.warehouse.duckdb.file_lock")
        monkeypatch.setattr(log, "handlers", [EndsHolder(process)])
        with writer_lock(warehouse, "run-2", wait=True) as dead:
            assert dead is None
            assert process.poll() == 0
            mine = current_holder(warehouse)
            assert mine is not None
            assert mine.run_id == "run-2"
    assert "Waiting: another run writes this warehouse: run run-1" in caplog.text
