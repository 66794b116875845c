"""The events sensor as Dagster's daemon runs it: from a change in Invoiced to a row."""

from pathlib import Path

import pytest
import urllib3

from invoiced_emulator.server import Emulator
from invoiced_pipeline.defs.runs.tags import REPLICATES_TAG
from invoiced_pipeline_tests.front_door import (
    KEY,
    FrontDoor,
    front_door,
    invoiced_account,
    wait_until,
)

pytestmark = pytest.mark.slow

NAME = "invoiced_events_sensor"


def cursors(door: FrontDoor) -> list[str]:
    """The cursor that the daemon stored, if it has."""
    with door.instance() as instance:
        states = instance.all_instigator_state()
        kept = [each.instigator_data for each in states if each.instigator_name == NAME]
    return [cursor for data in kept if (cursor := getattr(data, "cursor", None))]


def asked(account: Emulator) -> int:
    return sum(path == "/events" for _, path, *_ in account.requests)


def test_a_change_is_in_the_warehouse_after_a_tick(tmp_path: Path) -> None:
    with invoiced_account() as account, front_door(tmp_path, account) as door:
        (tmp_path / "invoiced.toml").write_text("[[connection]]\nevents_interval_seconds = 10")
        door.environment |= {"DAGSTER_HOME": str(tmp_path)}
        door.sync("--select", "plans")
        with (tmp_path / "daemon.log").open("w") as log:
            daemon = door.start("dagster-daemon", "run", "-w", "workspace.yaml", log=log)
            door.run("dagster", "sensor", "start", NAME, "-w", "workspace.yaml")
            wait_until(lambda: cursors(door), "the first tick")
            known = door.runs()
            url, headers = f"{account.url}/customers", urllib3.make_headers(basic_auth=f"{KEY}:")
            urllib3.request("POST", url, json={"name": "Acme"}, headers=headers)
            wait_until(lambda: len(door.runs()) > len(known), "the run")
            wait_until(lambda: set(door.runs().values()) == {"SUCCESS"}, "its end")
            before = asked(account)
            wait_until(lambda: asked(account) > before + 1, "two more ticks")
            door.kill(daemon)
        (run_id,) = set(door.runs()) - set(known)
        assert door.query("select name from customers") == [("Acme",)]
        loaded = f"select table_name from _sync_log where run_id = '{run_id}'"
        assert door.query(loaded) == [("customers",)]
        with door.instance() as instance:
            run = instance.get_run_by_id(run_id)
            assert run is not None
            (event,) = account.store.all("events")
            assert run.tags["dagster/run_key"].endswith(str(event["id"]))
            assert run.tags[REPLICATES_TAG] == "invoiced"
