"""Which unfinished runs are marked as failed, and which are not."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator

import dagster as dg
import pytest

from invoiced_pipeline.defs.runs.dead_runs import fail_dead_runs
from invoiced_pipeline.defs.runs.liveness import PROCESS_TAG
from invoiced_pipeline.warehouse.database import Holder, LockState

HERE = socket.gethostname()
ANOTHER = LockState(Holder.of_this_process("another"))


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def ended_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize(
    ("job", "process", "status"),
    [
        ("invoiced_sync", "{ended}@{here}", "FAILURE"),
        ("invoiced_sweep", "{ended}@{here}", "FAILURE"),
        ("invoiced_sync", "{alive}@{here}", "STARTED"),
        # A process of another machine cannot be tested, and a young run may still be planned.
        ("invoiced_sync", "{ended}@elsewhere", "STARTED"),
        ("invoiced_sync", "", "STARTED"),
        ("other_sync", "{ended}@{here}", "STARTED"),
    ],
)
def test_only_a_run_whose_process_is_gone_is_marked_as_failed(
    instance: dg.DagsterInstance, job: str, process: str, status: str
) -> None:
    # Set here, because parallel test workers must collect the same names.
    process = process.format(ended=ended_process(), alive=os.getpid(), here=HERE)
    tags = {PROCESS_TAG: process} if process else {}
    run = dg.DagsterRun(job_name=job, status=dg.DagsterRunStatus.STARTED, tags=tags)
    instance.add_run(run)
    fail_dead_runs(instance, "invoiced", ANOTHER, but="another")
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    assert found.status.value == status


@pytest.mark.skipif(not hasattr(os, "waitid"), reason="this system cannot wait without reaping")
def test_a_zombie_process_is_gone(instance: dg.DagsterInstance) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        tags = {PROCESS_TAG: f"{process.pid}@{HERE}"}
        status = dg.DagsterRunStatus.STARTED
        run = dg.DagsterRun(job_name="invoiced_sync", status=status, tags=tags)
        instance.add_run(run)
        fail_dead_runs(instance, "invoiced", ANOTHER, but="another")
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    assert found.status.value == "FAILURE"


def test_the_calling_run_is_alive(instance: dg.DagsterInstance) -> None:
    tags = {PROCESS_TAG: f"{ended_process()}@{HERE}"}
    run = dg.DagsterRun(job_name="invoiced_sync", status=dg.DagsterRunStatus.STARTED, tags=tags)
    instance.add_run(run)
    fail_dead_runs(instance, "invoiced", ANOTHER, but=run.run_id)
    found = instance.get_run_by_id(run.run_id)
    assert found is not None
    assert found.status is dg.DagsterRunStatus.STARTED
