"""The commands, as a user types them: Dagster's own and `invoiced-pipeline`."""

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import duckdb
import pytest
from typer.main import get_group
from typer.testing import CliRunner

from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLE_NAMES
from invoiced_pipeline.cli import COMMANDS, app
from invoiced_pipeline.commands.common.lazy_command import LazyCommand
from invoiced_pipeline_tests.front_door import (
    EPOCH,
    KEY,
    FrontDoor,
    expected,
    front_door,
    invoiced_account,
    wait_until,
)

MONTH = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
BEFORE = (MONTH - timedelta(days=1)).replace(day=1)
START = (BEFORE - timedelta(days=1)).replace(day=1) + timedelta(days=9)
"""Two months back: the first of three partitions is clipped."""


def day(instant: datetime) -> str:
    return f"{instant:%Y-%m-%d}"


@pytest.fixture(scope="module")
def account() -> Iterator[Emulator]:
    with invoiced_account(customers=10) as emulator:
        yield emulator


@pytest.fixture
def door(tmp_path: Path, account: Emulator) -> Iterator[FrontDoor]:
    with front_door(tmp_path, account) as door:
        door.environment["INVOICED_START_DATE"] = f"{START:%m/%d/%Y}"
        yield door


def between(account: Emulator, start: datetime, end: datetime) -> dict[int, int]:
    invoices = expected(account, int(start.timestamp()))["invoices"]
    return {key: at for key, at in invoices.items() if at < end.timestamp()}


def test_materialize_one_partition_then_the_range(door: FrontDoor, account: Emulator) -> None:
    """The key comes from `.env`, as the README says."""
    (door.folder / ".env").write_text(f"INVOICED_API_KEY={KEY}\n")
    del door.environment["INVOICED_API_KEY"]
    door.materialize("--select", "invoiced/invoices", "--partition", day(BEFORE))
    loaded = door.query(f"select id, cast({EPOCH} as bigint) from invoices")
    assert dict(loaded) == between(account, BEFORE, MONTH)

    first = f"{START:%Y-%m}-01"
    keys = f"{first}...{day(MONTH)}"
    door.materialize("--select", "group:invoiced", "--partition-range", keys)
    assert door.loaded() == expected(account, int(START.timestamp()))
    with door.instance() as instance:
        for table in TABLE_NAMES:
            (key,) = [each for each in instance.all_asset_keys() if each.path[-1] == table]
            assert instance.get_materialized_partitions(key) == {first, day(BEFORE), day(MONTH)}
    assert list(door.runs().values()) == ["SUCCESS", "SUCCESS"]


def test_without_a_key_every_command_names_it_and_nothing_is_written(door: FrontDoor) -> None:
    door.environment["INVOICED_API_KEY"] = ""
    asked = "No API key for connection 'Invoiced': set INVOICED_API_KEY"
    select = ("--select", "invoiced/invoices", "--partition", day(MONTH))
    assert asked in door.materialize(*select, status=1).said
    assert set(door.runs().values()) == {"FAILURE"}
    refused = door.sync(status=1)
    assert asked in refused.err
    assert "Traceback" not in refused.said
    assert not [path for path in door.files() if ".duckdb" in path.name]


def test_sync_then_nothing_then_a_change_then_full(door: FrontDoor, account: Emulator) -> None:
    first = door.sync()
    everything = expected(account, int(START.timestamp()))
    assert door.loaded() == everything
    for table in TABLE_NAMES:
        assert table in first.out
    assert "Complete up to " in first.out

    again = door.sync()
    assert "Nothing has changed since the last sync." in again.out

    # One invoice has changed; the result as JSON for a script.
    (number, *_) = everything["invoices"]
    record = account.store.get("invoices", number)
    assert record is not None
    account.store.put("invoices", record | {"updated_at": account.clock.now()})
    account.forget()
    one = door.sync("--select", " invoices, plans ", "--json")
    said = json.loads(one.out)
    assert said["error"] is None
    assert said["run_id"] in door.runs()
    assert {name: entry["rows_loaded"] for name, entry in said["tables"].items()} == {
        "invoices": 1,
        "plans": 0,
    }
    assert {path for _, path, _, _ in account.requests} == {"/events", "/invoices", "/plans"}
    assert door.loaded() == expected(account, int(START.timestamp()))

    full = json.loads(door.sync("--full", "--json").out)
    rows = {name: entry["rows_loaded"] for name, entry in full["tables"].items()}
    assert rows == {name: len(entries) for name, entries in door.loaded().items()}
    assert {entry["mode"] for entry in full["tables"].values()} == {"full"}
    assert set(door.runs().values()) == {"SUCCESS"}

    answers = json.loads(door.run("invoiced-pipeline", "answers", "--json").out)
    assert [answer["title"] for answer in answers] == [
        "Receivables aging",
        "Largest open balances",
        "Monthly recurring revenue",
    ]


def _refuse_plans(path: str, _: object) -> None:
    """Refuses requests in a way that no missing feature explains."""
    if path in {"/plans", "/subscriptions"}:
        raise refused("Invalid filter parameter: x")


def test_a_sync_names_failing_tables(tmp_path: Path) -> None:
    with invoiced_account() as account, front_door(tmp_path, account) as door:
        account.on_request = _refuse_plans
        door.environment["INVOICED_START_DATE"] = day(START)
        failed = door.sync("--json", status=1)
        said = json.loads(failed.out)
        assert said["error"].startswith("not complete: 2 tables (subscriptions, plans): the API ")
        assert set(said["tables"]) == set(TABLE_NAMES) - {"plans", "subscriptions"}
        # For a person: one line to search for, and nothing about success.
        shown = door.sync("--select", "plans", status=1)
        failure = r"^Run [0-9a-f-]{36} failed: not complete: plans: GET /plans answered 400.*filter"
        assert re.search(failure, shown.err, re.MULTILINE)
        assert "What arrived" not in shown.out
        assert "✓" not in shown.said
        assert list(door.runs().values()) == ["FAILURE", "FAILURE"]


_REFUSED_OPTIONS = {
    "unknown table": (("sync", "--select", "invoices,foo"), "no table foo. There are: customers"),
    "warehouse that is none": (("sync",), "is not a valid DuckDB database file"),
    "no warehouse yet": (("answers",), "To fill it: invoiced-pipeline sync"),
}


def test_an_error_is_one_message(door: FrontDoor) -> None:
    other = door.folder / "notes.txt"
    other.write_text("This is no warehouse." * 1000)
    for case, (command, text) in _REFUSED_OPTIONS.items():
        file = {"INVOICED_DESTINATION": "duckdb", "INVOICED_DUCKDB_PATH": str(other)}
        environment = file if case.startswith("warehouse") else {}
        refused = door.run("invoiced-pipeline", *command, status=1, **environment)
        assert text in refused.err, case
        assert "Traceback" not in refused.said, case
    assert other.read_text() == "This is no warehouse." * 1000


def test_a_refused_key_is_never_repeated(tmp_path: Path) -> None:
    """The API repeats a wrong key in its response; our runs, logs and files must not."""
    with invoiced_account() as account, front_door(tmp_path, account) as door:
        account.keys.clear()
        refused = door.sync("--select", "invoices", status=1)
        assert "answered 401: We could not authenticate you with the API Key" in refused.err
        assert "(hidden)" in refused.err
        failed = door.materialize(
            "--select", "invoiced/invoices", "--partition", day(MONTH), status=1
        )
        assert "(hidden)" in failed.err
        assert list(door.runs().values()) == ["FAILURE", "FAILURE"]


@pytest.mark.duckdb("a server is open to many")
@pytest.mark.parametrize("command", ["sync", "check"])
def test_command_waits_for_a_warehouse_that_is_open_elsewhere(
    door: FrontDoor, command: str
) -> None:
    door.warehouse.parent.mkdir()
    log = door.folder / "log.txt"
    with log.open("w") as output, duckdb.connect(str(door.warehouse)):
        process = door.start("invoiced-pipeline", command, log=output)
        said = f"Another program has {door.warehouse} open; waiting up to 60 s"
        wait_until(lambda: said in log.read_text() or process.poll() is not None, said)
    door.finish(process)
    assert (process.returncode, said in log.read_text()) == (0, True), log.read_text()


@contextmanager
def server(status: int, body: str) -> Iterator[str]:
    """Serves the same response to every request; yields its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    running = HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{running.server_port}"
    finally:
        running.shutdown()
        running.server_close()


_OTHER_KEY = "AnotherNeverSeenKey0123456789abc"


def _keys(state: str) -> Callable[[Emulator, Path], dict[str, str]]:
    def change(account: Emulator, _: Path) -> dict[str, str]:
        account.keys[_OTHER_KEY] = state  # type: ignore[assignment]
        return {"INVOICED_API_KEY": _OTHER_KEY}

    return change


def _no_features(account: Emulator, _: Path) -> dict[str, str]:
    account.account.features.clear()
    return {}


def _warehouse_under_a_file(_: Emulator, folder: Path) -> dict[str, str]:
    (folder / "file").write_text("")
    return {"INVOICED_DESTINATION": "duckdb", "INVOICED_DUCKDB_PATH": "file/warehouse.duckdb"}


def _tables(toml: str) -> Callable[[Emulator, Path], dict[str, str]]:
    def change(_: Emulator, folder: Path) -> dict[str, str]:
        text = f"[[connection]]\n[connection.tables]\n{toml}\n"
        (folder / "invoiced.toml").write_text(text, encoding="utf-8")
        return {}

    return change


Change = Callable[[Emulator, Path], dict[str, str]]

# The change, the server in place of the emulator, and the expected (subject, problem, text).
_CHECKS: dict[
    str, tuple[Change | None, AbstractContextManager[str | None], set[tuple[str, str, str]]]
] = {
    "ok": (None, nullcontext(), set()),
    "no key": (
        lambda *_: {"INVOICED_API_KEY": ""},
        nullcontext(),
        {("connection", "no key", "set INVOICED_API_KEY in the environment or in .env")},
    ),
    "bad key": (
        lambda *_: {"INVOICED_API_KEY": _OTHER_KEY},
        nullcontext(),
        {("connection", "bad key", "answered 401")},
    ),
    "account cancelled": (
        _keys("canceled"),
        nullcontext(),
        {("connection", "account cancelled", "This account has been canceled")},
    ),
    "trial ended": (
        _keys("trial_ended"),
        nullcontext(),
        {("connection", "account cancelled", "Your trial has ended")},
    ),
    "refused by a firewall": (
        None,
        server(403, '{"type": "invalid_request", "message": "You may not [/] do that"}'),
        {(name, "unexpected response", "You may not [/] do that") for name in TABLE_NAMES},
    ),
    "key without permission": (
        None,
        server(403, '{"message": "You do not have permission to do that"}'),
        {("connection", "no table can be read", "is it the key of the right account")},
    ),
    "host unreachable": (
        lambda *_: {"INVOICED_API_URL": "http://127.0.0.1:1"},
        nullcontext(),
        {("connection", "host unreachable", "Cannot reach 127.0.0.1:1: the connection was")},
    ),
    "not the Invoiced API": (
        None,
        server(200, "<html>Welcome</html>"),
        {(name, "unexpected response", "Is api_url the address of the") for name in TABLE_NAMES},
    ),
    "feature not enabled": (_no_features, nullcontext(), set()),
    "bad cron": (
        lambda *_: {
            "INVOICED_SCHEDULE_CRON": "0 0 9 32 * ?",
            "INVOICED_SCHEDULE_DIALECT": "quartz",
        },
        nullcontext(),
        {("schedule", "bad cron", "schedule.cron: '0 0 9 32 * ?' is not quartz cron")},
    ),
    "unknown column": (
        _tables('customers.hash = ["e_mail"]'),
        nullcontext(),
        {("tables", "bad selection", "tables.customers.hash: unknown column 'e_mail'")},
    ),
    "no salt": (
        _tables('customers.hash = ["email"]'),
        nullcontext(),
        {("tables", "no salt", "set INVOICED_HASH_SALT in the environment or in .env")},
    ),
    "proxy that is not there": (
        lambda *_: {"INVOICED_PROXY": f"http://user:{_OTHER_KEY}@127.0.0.1:1"},
        nullcontext(),
        {("connection", "host unreachable", "through the proxy 127.0.0.1:1: the connection was")},
    ),
    "destination not writable": (
        _warehouse_under_a_file,
        nullcontext(),
        {("destination", "destination not writable", "file/warehouse.duckdb")},
    ),
}


@pytest.mark.parametrize("case", _CHECKS)
def test_check_names_the_problem(case: str, tmp_path: Path) -> None:
    change, answering, faults = _CHECKS[case]
    with invoiced_account() as account, front_door(tmp_path, account) as door, answering as url:
        door.environment |= change(account, tmp_path) if change else {}
        door.environment |= {"INVOICED_API_URL": url} if url else {}
        status = 1 if faults else 0
        found = json.loads(door.run("invoiced-pipeline", "check", "--json", status=status).out)
        wrong = {entry["subject"]: entry for entry in found if entry["problem"]}
        assert {(name, entry["problem"]) for name, entry in wrong.items()} == {
            (subject, problem) for subject, problem, _ in faults
        }
        for subject, _, text in faults:
            assert text in wrong[subject]["detail"]

        # The same for a person: one line per finding.
        shown = door.run("invoiced-pipeline", "check", status=status).out.splitlines()
        for subject, problem, text in faults:
            (line,) = [line for line in shown if line.startswith(f"✗ {subject}: ")]
            assert line.startswith(f"✗ {subject}: {problem}: ")
            assert text in line
        lacking = [f"! {each['subject']}: not available: " for each in found if each["unavailable"]]
        assert len([line for line in shown if line.startswith(tuple(lacking))]) == len(lacking)
        well = len(found) - len(faults) - len(lacking)
        assert len([line for line in shown if line.startswith("✓")]) == well
        if case == "ok":
            assert [line.split(":")[0] for line in shown] == [
                "✓ connection",
                *(f"✓ {name}" for name in TABLE_NAMES),
                "✓ first load",
                "✓ schedule",
                "✓ alerts",
                "✓ settings",
                "✓ destination",
            ]
        assert _OTHER_KEY not in json.dumps(found)
        assert _OTHER_KEY not in "".join(shown)


def test_check_covers_all_connections(tmp_path: Path) -> None:
    with invoiced_account() as account, front_door(tmp_path, account) as door:
        (tmp_path / "invoiced.toml").write_text(
            f"""
            [[connection]]
            [[connection]]
            name = "Beta"
            api_url = "{account.url}"
            api_key_env = "BETA_KEY"
            [connection.tables]
            include = ["plans"]
            [connection.schedule]
            cron = "0 0 9 ? * *"
            dialect = "quartz"
            """
        )
        command = ("invoiced-pipeline", "check", "--json")
        found = json.loads(door.run(*command, status=1, BETA_KEY=_OTHER_KEY).out)
        wrong = [entry for entry in found if entry["problem"]]
        assert [(entry["connection"], entry["problem"]) for entry in wrong] == [("Beta", "bad key")]
        account.keys[_OTHER_KEY] = "active"
        found = json.loads(door.run(*command, BETA_KEY=_OTHER_KEY).out)
        of_beta = [entry["subject"] for entry in found if entry["connection"] == "Beta"]
        assert of_beta == ["connection", "plans", "first load", "schedule"]
        reached = [each["detail"] for each in found if each["subject"] == "connection"]
        limit = "; up to 18 requests at a time, of the 20 that Invoiced allows per key"
        assert all(detail.endswith(limit) for detail in reached)
        assert found[-1]["subject"] == "destination"
        (schedule,) = [each for each in found if each["connection"] == "Beta"][-1:]
        assert re.match(r"At 09:00, every day \(UTC\): next start .* 09:00 UTC", schedule["detail"])
        shown = door.run(*command[:2], "--connection", "Beta", BETA_KEY=_OTHER_KEY).out
        assert len(shown.splitlines()) == 7
        same = door.run(*command, "--connection", "Beta", BETA_KEY=account.api_key).out
        detail = json.loads(same)[0]["detail"]
        assert detail.endswith(f"{limit}; shared with Invoiced, which has the same key")


def test_check_leaves_no_warehouse_behind(door: FrontDoor) -> None:
    door.run("invoiced-pipeline", "check", status=1, INVOICED_API_KEY="")
    assert not door.warehouse.exists()


def test_version() -> None:
    said = CliRunner().invoke(app, ["--version"])
    assert (said.exit_code, said.output) == (0, "invoiced-pipeline 0.1.0\n")


def test_help_names_every_command(door: FrontDoor) -> None:
    said = door.run("invoiced-pipeline", "--help").out
    for command in (*COMMANDS, "emulator"):
        assert f" {command} " in said


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_loaded_from_the_module_of_its_name(name: str) -> None:
    stand_in = get_group(app).commands[name]
    assert isinstance(stand_in, LazyCommand)
    assert stand_in.load().help == stand_in.help


@pytest.mark.slow
def test_sweep(door: FrontDoor, account: Emulator) -> None:
    nothing = door.run("invoiced-pipeline", "sweep", status=1)
    assert "There is nothing to sweep in invoiced: run invoiced-pipeline sync first" in nothing.err
    door.sync("--select", "invoices,estimates")
    (number, *_) = between(account, START, datetime.now(UTC))
    record = account.store.get("invoices", number)
    assert record is not None
    account.store.remove("invoices", number)
    try:
        swept = door.run("invoiced-pipeline", "sweep", "--select", "invoices", "--json")
    finally:
        account.store.put("invoices", record)
    said = json.loads(swept.out)
    assert said["error"] is None
    assert said["run_id"] in door.runs()
    assert {name: entry["deleted_rows"] for name, entry in said["tables"].items()} == {
        "invoices": 1
    }
    marked = "select id from invoices where _deleted_at is not null"
    assert door.query(marked) == [(number,)]

    # The record exists again.
    shown = door.run("invoiced-pipeline", "sweep", "--allow-share", "0.5")
    assert "Compared with the API" in shown.out
    assert "estimates" in shown.out
    assert door.query(marked) == []
    door.run("invoiced-pipeline", "sweep", "--allow-share", "2", status=2)
