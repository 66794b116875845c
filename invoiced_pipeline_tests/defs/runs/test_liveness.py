"""The writer's lock decides whether a run is alive, not its process id."""

import os
import socket
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.launcher import CheckRunHealthResult, WorkerStatus

import invoiced_pipeline.defs.runs.liveness as module
from invoiced_pipeline.defs.runs.liveness import PROCESS_TAG, is_alive
from invoiced_pipeline.warehouse.database import Holder, LockState

HERE = socket.gethostname()


@pytest.mark.parametrize(
    "process",
    [f"{os.getpid()}@{HERE}", "1@a-container-that-is-gone"],
    ids=["this process", "of a container that is gone"],
)
@pytest.mark.parametrize("holder", ["itself", "another", "nobody"])
def test_a_process_id_alone_does_not_keep_a_run_alive(
    process: str, holder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = dg.DagsterRun(
        job_name="writeback_crm", status=dg.DagsterRunStatus.STARTED, tags={PROCESS_TAG: process}
    )
    holders = {
        "itself": Holder.of_this_process(run.run_id),
        "another": Holder.of_this_process("another"),
        "nobody": None,
    }
    with dg.DagsterInstance.ephemeral() as instance:
        instance.add_run(run)
        lock = LockState(holders[holder])
        assert is_alive(instance, run, lock)  # it may be about to take the lock

        class Later:
            @classmethod
            def now(cls, _zone: object) -> datetime:
                return datetime.now(UTC) + timedelta(minutes=3)

        monkeypatch.setattr(module, "datetime", Later)
        assert is_alive(instance, run, lock) is (holder != "nobody")


LONG_AGO = timedelta(minutes=3)


def recorded(instance: dg.DagsterInstance, status: dg.DagsterRunStatus, ago: timedelta) -> str:
    """A run whose last event is that old."""
    run = dg.DagsterRun(job_name="invoiced_sync", status=status)
    instance.add_run(run)
    at = datetime.now(UTC) - ago
    event = dg.EventLogEntry(
        error_info=None,
        level="info",
        user_message="reads",
        run_id=run.run_id,
        timestamp=at.timestamp(),
    )
    instance.handle_new_event(event)
    return run.run_id


@pytest.mark.parametrize(
    ("sign", "ago", "expected"),
    [
        ("connected", LONG_AGO, True),
        ("not connected", LONG_AGO, False),
        ("not connected", timedelta(), True),  # it takes the lock soon, or has released it
        ("died with the lock", timedelta(), False),
    ],
)
def test_a_server_knows_the_runs_of_all_machines(
    sign: str, ago: timedelta, *, expected: bool
) -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run_id = recorded(instance, dg.DagsterRunStatus.STARTED, ago)
        run = instance.get_run_by_id(run_id)
        assert run is not None
        lock = LockState(
            holder=Holder.of_this_process("another") if sign != "died with the lock" else None,
            dead=Holder.of_this_process(run_id) if sign == "died with the lock" else None,
            connected=frozenset({run_id} if sign == "connected" else {"another"}),
        )
        assert is_alive(instance, run, lock) is expected


def test_a_run_that_waits_for_a_worker_is_alive() -> None:
    with dg.DagsterInstance.ephemeral() as instance:
        run_id = recorded(instance, dg.DagsterRunStatus.STARTING, LONG_AGO)
        run = instance.get_run_by_id(run_id)
        assert run is not None
        assert is_alive(instance, run, LockState(connected=frozenset()))


class Launcher:
    """A launcher that watches its workers, as that for Kubernetes does."""

    supports_check_run_worker_health = True

    def __init__(self, status: WorkerStatus) -> None:
        self._status = status

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        return CheckRunHealthResult(self._status)


@pytest.mark.parametrize(
    ("status", "expected"), [(WorkerStatus.FAILED, False), (WorkerStatus.RUNNING, True)]
)
def test_a_launcher_knows_its_own_workers(
    status: WorkerStatus, monkeypatch: pytest.MonkeyPatch, *, expected: bool
) -> None:
    """Only runs that it launched: a command's run is in the command's process."""
    with dg.DagsterInstance.ephemeral() as instance:
        monkeypatch.setattr(type(instance), "run_launcher", Launcher(status))
        monkeypatch.setattr(module, "_LONGEST_PLANNING", timedelta(seconds=-1))
        lock = LockState(Holder.of_this_process("another"))
        process = {PROCESS_TAG: "1@another-pod"}
        for is_launched in (True, False):
            run = dg.DagsterRun(
                job_name="invoiced_sync", status=dg.DagsterRunStatus.STARTED, tags=process
            )
            instance.add_run(run)
            if is_launched:
                event = dg.DagsterEvent(dg.DagsterEventType.RUN_STARTING.value, run.job_name)
                instance.report_dagster_event(event, run.run_id)
            assert is_alive(instance, run, lock) is (expected or not is_launched)
