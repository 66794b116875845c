"""Backups of one server: complete, consistent, and restored without a row sent twice."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.warehouse.duckdb.file_lock import read_holder
from invoiced_pipeline_tests.deploy.units import UNITS
from invoiced_pipeline_tests.front_door import (
    EPOCH,
    FrontDoor,
    expected,
    front_door,
    invoiced_account,
    wait_until,
)
from invoiced_pipeline_tests.lock_holder import holding

pytestmark = pytest.mark.duckdb("a server's backup is its own")

START = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=40)
SETTINGS = """\
[[connection]]
name = "Invoiced"
start_date = "{start}"

[connection.tables]
include = ["customers", "invoices"]

[[writeback]]
name = "contacts"
operation = "add_contact"
source = "contacts.csv"
key = "email"
check_replica = false
active = true
"""
PUSH = ("invoiced-pipeline", "writeback", "push", "contacts", "--json")


@pytest.fixture
def account() -> Iterator[Emulator]:
    with invoiced_account(customers=2) as emulator:
        yield emulator


@pytest.fixture
def server(tmp_path: Path, account: Emulator) -> Iterator[FrontDoor]:
    """A server whose settings and data have folders of their own, and the schema of a page."""
    with front_door(tmp_path / "etc", account) as door:
        (door.folder / "dagster.yaml").unlink()
        (door.folder / "invoiced.toml").write_text(SETTINGS.format(start=START.date()))
        home = tmp_path / "var" / "dagster"
        home.mkdir(parents=True)
        door.environment |= {
            "INVOICED_DUCKDB_PATH": str(tmp_path / "var" / "warehouse.duckdb"),
            "DAGSTER_HOME": str(home),
        }
        write_contacts(door, account, "first@example.com")
        yield door


def write_contacts(door: FrontDoor, account: Emulator, *emails: str) -> None:
    customer = min(each["id"] for each in account.store.all("customers"))
    rows = "".join(f"{customer},{email},{email}\n" for email in emails)
    (door.folder / "contacts.csv").write_text(f"customer,name,email\n{rows}")


def script(name: str, *arguments: Path, status: int = 0) -> str:
    """What a script of the server prints."""
    done = subprocess.run(  # noqa: S603 - our own script
        [str(UNITS / name), *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def back_up(folder: Path) -> Path:
    """Makes a backup; returns its folder."""
    told = script("backup", folder / "var", folder / "etc", folder / "backups")
    return Path(told.removeprefix("Copied to ").strip())


def contacts(account: Emulator) -> list[str]:
    return sorted(each["email"] for each in account.store.all("contacts"))


def test_a_restored_backup_continues_and_sends_nothing_twice(
    server: FrontDoor, account: Emulator, tmp_path: Path
) -> None:
    data = tmp_path / "var"
    server.sync()
    before = contacts(account)
    server.run(*PUSH)
    backup = back_up(tmp_path)
    assert (backup / "settings" / "invoiced.toml").exists()
    assert not list(backup.rglob("*.lock"))
    with server.instance(backup / "data" / "dagster") as copied:
        runs = {run.run_id: run.status.value for run in copied.get_runs()}
    with server.instance(data / "dagster") as original:
        assert runs == {run.run_id: run.status.value for run in original.get_runs()}
    assert set(runs.values()) == {"SUCCESS"}

    # What happens after the backup is known to the API only.
    record = next(iter(account.store.all("invoices")))
    account.store.put("invoices", {**record, "updated_at": account.clock.now() - 60})
    server.sync()
    (data / "warehouse.duckdb").write_bytes(b"damaged")
    told = script("restore", backup, data)
    assert "Run a sync before the next push" in told
    server.sync()
    invoices = dict(server.query(f"select id, cast({EPOCH} as bigint) from invoices"))
    assert invoices == expected(account, int(START.timestamp()))["invoices"]
    report = json.loads(server.run(*PUSH).out)["report"]
    assert report["unchanged"] == report["rows"] == 1
    assert contacts(account) == [*before, "first@example.com"]
    (kept,) = tmp_path.glob("var.before-*")
    assert (kept / "warehouse.duckdb").read_bytes() == b"damaged"


WATCHING_PYTHON = """\
#!/bin/sh
cp {lock} {seen}
flock --nonblock {lock} true || echo held >{seen}.state
exec {python} "$@"
"""


def test_a_backup_waits_for_a_run_and_is_met_like_one(server: FrontDoor, tmp_path: Path) -> None:
    data, backups, seen = tmp_path / "var", tmp_path / "backups", tmp_path / "seen"
    with server.instance(data / "dagster"):
        pass
    database = server.database
    lock = database.beside("lock")
    python = tmp_path / "bin" / "python3"
    python.parent.mkdir()
    python.write_text(WATCHING_PYTHON.format(lock=lock, seen=seen, python=sys.executable))
    python.chmod(0o755)
    (data / "warehouse.duckdb").touch()
    command = [str(UNITS / "backup"), str(data), str(server.folder), str(backups)]
    path = f"{python.parent}:{os.environ['PATH']}"
    with holding(database, "a-run", "invoiced"):
        waiting = subprocess.Popen(  # noqa: S603 - our own script
            command, env={"PATH": path}, stdout=subprocess.PIPE, text=True
        )
        wait_until(lambda: list(backups.glob(".partial-*")), "the backup")
        assert waiting.poll() is None
    assert "Copied to" in waiting.communicate()[0]
    holder = read_holder(seen)
    assert holder is not None
    assert (holder.run_id, holder.pid) == ("backup", waiting.pid)
    assert seen.with_suffix(".state").read_text() == "held\n"
    assert lock.read_text() == ""
    assert not list(backups.glob(".partial-*"))


def test_nothing_is_restored_over_a_run_or_from_elsewhere(
    server: FrontDoor, tmp_path: Path
) -> None:
    data = tmp_path / "var"
    assert "is no backup" in script("restore", tmp_path / "etc", data, status=1)
    backup = back_up(tmp_path)
    with holding(server.database, "a-run", "invoiced"):
        assert "A run holds" in script("restore", backup, data, status=1)
    assert not list(tmp_path.glob("var.*"))
