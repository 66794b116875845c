"""The writer's lock decides whether a run is alive, not its process id."""

import os
import socket
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

import invoiced_pipeline.defs.runs.liveness as module
from invoiced_pipeline.defs.runs.liveness import PROCESS_TAG, is_alive
from invoiced_pipeline.warehouse.database import Holder

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
        assert is_alive(instance, run, holders[holder])  # it may be about to take the lock

        class Later:
            @classmethod
            def now(cls, _zone: object) -> datetime:
                return datetime.now(UTC) + timedelta(minutes=3)

        monkeypatch.setattr(module, "datetime", Later)
        assert is_alive(instance, run, holders[holder]) is (holder != "nobody")
