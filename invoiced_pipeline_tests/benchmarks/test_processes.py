"""What is measured of a command is what the command took."""

import json
import sys
from pathlib import Path

import dagster as dg
import pytest

from benchmarks import ours
from benchmarks.accounts import NOW, fill
from benchmarks.api import Api, clock_start
from benchmarks.cases import Case, Engine
from benchmarks.floor import Lists
from benchmarks.processes import CommandFailedError, measure
from benchmarks.sync import Place


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_a_pipe_is_measured_as_one(tmp_path: Path) -> None:
    write = python("import sys; held = bytearray(200_000_000); sys.stdout.write('42')")
    read = python(
        "import sys; held = bytearray(100_000_000); sys.stdout.write(sys.stdin.read() * 2)"
    )
    used = measure(write, read, folder=tmp_path)
    assert used.output == "4242"
    assert used.peak_mb > 300
    assert used.cpu_seconds > 0


def test_settings_of_the_machine_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("INVOICED_API_KEY", "real")
    monkeypatch.setenv("DAGSTER_HOME", "elsewhere")
    show = python("import json, os; print(json.dumps(dict(os.environ)))")
    found = json.loads(measure(show, folder=tmp_path, environment={"INVOICED_X": "1"}).output)
    assert "INVOICED_API_KEY" not in found
    assert "DAGSTER_HOME" not in found
    assert found["INVOICED_X"] == "1"


@pytest.mark.parametrize("failing", [0, 1])
def test_a_command_that_fails_is_no_figure(tmp_path: Path, failing: int) -> None:
    commands = [python("pass"), python("pass")]
    commands[failing] = python("import sys; sys.exit('no such stream')")
    with pytest.raises(CommandFailedError, match="no such stream"):
        measure(*commands, folder=tmp_path)


def test_an_error_on_standard_output_is_shown(tmp_path: Path) -> None:
    with pytest.raises(CommandFailedError, match="no such key"):
        measure(python("print('no such key'); raise SystemExit(1)"), folder=tmp_path)


def test_changes_of_an_account_are_shown_by_the_api(tmp_path: Path) -> None:
    fill(tmp_path / "account.sqlite", customers=3)
    with Api(tmp_path / "account.sqlite", NOW) as api:
        api.begin(latency_ms=0)
        api.change_invoices(7)
        lists = Lists(api.url, api.api_key)
        changed = lists.get("/invoices", updated_after=NOW, include="updated_at")
        seconds = {
            row["updated_at"] for row in changed.json() if row["notes"].startswith("Changed at")
        }
        assert seconds == set(range(NOW + 1, NOW + 8))
        events = lists.get("/events", start_date=NOW + 1, end_date=NOW + 7)
        assert events.headers["X-Total-Count"] == "7"
        assert api.served().requests == 2
        api.begin(latency_ms=0)
        assert api.served().requests == 0


@pytest.mark.slow
def test_an_idle_sync_is_one_that_finds_nothing_new(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path / "account.sqlite", customers=3)
    case = Case(engine=Engine.IN_DAGSTER, tables=("customers",), latency_ms=0.0)
    materialized = []
    with Api(tmp_path / "account.sqlite", clock_start()) as api:
        place = Place(case, tmp_path / "ours", api)
        ours.prepare(place)
        monkeypatch.chdir(place.folder)  # where the paths of its dagster.yaml begin
        for _ in range(2):
            api.begin(latency_ms=0)
            ours.materialize(place)
            with dg.DagsterInstance.from_config(str(place.folder)) as instance:
                customers = dg.AssetKey(["invoiced", "customers"])
                found = instance.fetch_materializations(customers, limit=1_000)
                materialized.append(len(found.records))
    # A table that counts as stale would be materialized each time.
    assert materialized[0] > 0
    assert materialized[1] == materialized[0]
