"""`python -m benchmarks.freshness`: seconds from a change in Invoiced to its row in the warehouse.

Dagster's daemon evaluates the events sensor every 30 seconds while customers are created at random
times. Runs load a DuckDB file, or with `--launcher celery`, on a warm worker, PostgreSQL. With
`--sensors`, it counts instead how often the daemon evaluates so many sensors.
"""

import json
import random
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import dagster as dg
import typer
import urllib3

from invoiced_emulator.server import Emulator
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline_tests.cluster import AccountAddress, cluster
from invoiced_pipeline_tests.front_door import front_door, invoiced_account, wait_until

_SENSOR = "invoiced_events_sensor"
_CUSTOMERS = dg.AssetKey(["invoiced", "customers"])
_LATENCY_MS = 100
_START = datetime.now(UTC).replace(day=1).date().isoformat()
_MINUTES_OF_TICKS = 4


@dataclass
class Setting:
    """A running daemon with the sensor turned on, and when each change was made and arrived."""

    account: Emulator
    instance: dg.DagsterInstance
    database: Database
    made: dict[int, float] = field(default_factory=dict)
    arrived: dict[int, float] = field(default_factory=dict)
    _looked_at: float = 0.0

    def create_customer(self) -> None:
        """Creates a customer, and notes when."""
        url, key = f"{self.account.url}/customers", f"{self.account.api_key}:"
        headers = urllib3.make_headers(basic_auth=key)
        body = {"name": f"Customer {len(self.made)}"}
        record = urllib3.request("POST", url, json=body, headers=headers).json()
        self.made[record["id"]] = time.time()

    def look(self) -> None:
        """Notes the rows that the last load of customers brought; Dagster says when it ended."""
        event = self.instance.get_latest_materialization_event(_CUSTOMERS)
        if event is None or event.timestamp == self._looked_at:
            return  # a look while a run writes the DuckDB file would break that run
        self._looked_at = event.timestamp
        with self.database.session("invoiced", read_only=True) as session:
            ids = {number for (number,) in session.rows("select id from customers")}
        for number in self.made.keys() & ids - self.arrived.keys():
            self.arrived[number] = event.timestamp

    def ticks(self) -> dict[float, Sequence[str]]:
        """Returns the runs that each tick of the sensor requested, by its time."""
        state = _states(self.instance)[_SENSOR]
        ticks = self.instance.get_ticks(state.instigator_origin_id, state.selector_id)
        return {tick.timestamp: tick.run_ids for tick in ticks}


def main(
    changes: Annotated[int, typer.Option(help="Customers that are created.")] = 100,
    every: Annotated[float, typer.Option(help="Mean seconds between two of them.")] = 9.0,
    launcher: Annotated[str, typer.Option(help="`default`, or `celery`.")] = "default",
    sensors: Annotated[int, typer.Option(help="Count the ticks of so many sensors.")] = 0,
) -> None:
    """Prints figures as JSON."""
    if sensors:
        typer.echo(json.dumps(_evaluations(sensors)))
        return
    start: Callable[[Emulator], AbstractContextManager[Setting]]
    start = _on_celery if launcher == "celery" else _on_this_machine
    with invoiced_account(customers=200) as account, start(account) as setting:
        account.faults.latency_ms = _LATENCY_MS
        following = time.time()
        while len(setting.made) < changes or setting.made.keys() - setting.arrived.keys():
            if len(setting.made) < changes and time.time() >= following:
                setting.create_customer()
                following = time.time() + random.expovariate(1 / every)
            setting.look()
            time.sleep(0.5)
        typer.echo(json.dumps(_figures(setting)))


@contextmanager
def _on_this_machine(account: Emulator) -> Iterator[Setting]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        door = stack.enter_context(front_door(folder, account, cold=True))
        door.environment |= {"DAGSTER_HOME": str(folder), "INVOICED_START_DATE": _START}
        door.sync()
        log = stack.enter_context((folder / "daemon.log").open("w"))
        door.start("dagster-daemon", "run", "-w", "workspace.yaml", log=log)
        door.run("dagster", "sensor", "start", _SENSOR, "-w", "workspace.yaml")
        instance = stack.enter_context(door.instance())
        _wait_for_first_ticks(instance, 1)
        yield Setting(account, instance, door.database)


@contextmanager
def _on_celery(account: Emulator) -> Iterator[Setting]:
    address = AccountAddress("Invoiced", account.url, account.api_key)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        settings = f'start_date = "{_START}"'
        made = stack.enter_context(cluster(folder, [address], connection_settings=settings))
        made.start_worker("worker")
        made.start_daemon()
        made.turn_sensors_on()
        instance = stack.enter_context(made.instance())
        _wait_for_first_ticks(instance, 1)
        yield Setting(account, instance, made.warehouse)


def _evaluations(sensors: int) -> dict[str, Any]:
    """Returns how often the daemon evaluates so many sensors in a few quiet minutes."""
    connections = [f'[[connection]]\nname = "Account {number}"\n' for number in range(sensors)]
    with ExitStack() as stack:
        account = stack.enter_context(invoiced_account())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        door = stack.enter_context(front_door(folder, account, cold=True))
        document = "\n".join(f'{each}api_url = "{account.url}"' for each in connections)
        (folder / "invoiced.toml").write_text(document, encoding="utf-8")
        door.environment |= {"DAGSTER_HOME": str(folder)}
        log = stack.enter_context((folder / "daemon.log").open("w"))
        door.start("dagster-daemon", "run", "-w", "workspace.yaml", log=log)
        door.run("dagster", "sensor", "start", "--start-all", "-w", "workspace.yaml")
        instance = stack.enter_context(door.instance())
        _wait_for_first_ticks(instance, sensors)
        account.faults.latency_ms = _LATENCY_MS
        account.forget()
        time.sleep(_MINUTES_OF_TICKS * 60)
        asked = Counter(path for _, path, *_ in account.requests)
    wanted = sensors * _MINUTES_OF_TICKS * 2
    return {"sensors": sensors, "wanted": wanted, "evaluated": asked["/events"]}


def _states(instance: dg.DagsterInstance) -> dict[str, Any]:
    """Returns the sensors that have been evaluated, by name."""
    states = instance.all_instigator_state()
    found = [each for each in states if getattr(each.instigator_data, "cursor", None)]
    return {each.instigator_name: each for each in found}


def _wait_for_first_ticks(instance: dg.DagsterInstance, count: int) -> None:
    wait_until(lambda: len(_states(instance)) >= count, "the first ticks", within=600, every=1)


def _figures(setting: Setting) -> dict[str, Any]:
    whole = [setting.arrived[number] - at for number, at in setting.made.items()]
    requesting = [at for at, runs in setting.ticks().items() if runs]
    after_tick = [
        setting.arrived[number] - min((at for at in requesting if at > made), default=made)
        for number, made in setting.made.items()
    ]
    return {
        "changes": len(whole),
        "runs": len(requesting),
        "change to row": _percentiles(whole),
        "tick to row": _percentiles(after_tick),
    }


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=20, method="inclusive")
    return {"p50": round(cuts[9], 1), "p95": round(cuts[18], 1), "max": round(max(seconds), 1)}


if __name__ == "__main__":
    typer.run(main)
