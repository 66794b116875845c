"""The demo's run history is separate from the user's own."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline_tests.front_door import DEADLINE, REPOSITORY, Gate, front_door


@pytest.mark.slow
@pytest.mark.duckdb("demo.toml names a file")
def test_the_next_run_marks_a_killed_demo_run_as_failed(tmp_path: Path) -> None:
    with Emulator() as account, front_door(tmp_path) as door:
        text = (REPOSITORY / "demo.toml").read_text(encoding="utf-8")
        text = text.replace("http://127.0.0.1:8085", account.url)
        # Few partitions: Dagster takes a while to record each of them.
        text = text.replace("01/01/2024", f"{datetime.now(UTC):%m/%d/%Y}")
        (tmp_path / "demo.toml").write_text(text, encoding="utf-8")
        # The user's own project sets it.
        door.environment |= {"DAGSTER_HOME": str(tmp_path)}

        gate = Gate(account, after=3)
        process = door.start("invoiced-pipeline", "sync", INVOICED_CONFIG="demo.toml")
        assert gate.reached.wait(DEADLINE)
        door.kill(process)
        gate.open()
        door.sync(INVOICED_CONFIG="demo.toml")

        assert not (tmp_path / "data" / "dagster").exists()
        with door.instance(tmp_path / "data" / "demo" / "dagster") as instance:
            runs = [run for run in instance.get_runs() if run.job_name == "demo_sync"]
        statuses = [run.status.value for run in runs]
        assert statuses == ["SUCCESS", "FAILURE"]
