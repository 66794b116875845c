"""A project of version 0.1.0 goes on with this version: nothing is lost, and nothing sent twice."""

import json
import subprocess
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLE_NAMES
from invoiced_pipeline_tests.front_door import KEY, FrontDoor, front_door

pytestmark = [
    pytest.mark.duckdb("the fixture is a DuckDB file"),
    pytest.mark.skipif(duckdb.__version__ < "2", reason="DuckDB 2.0 made the fixture's file"),
]

FIXTURE = Path(__file__).parent / "fixtures" / "warehouse_0_1_0.tar.xz"
OLD_FILE = Path("data/invoiced.duckdb")
LEDGER = "select writeback, record_key, state, invoiced_id, attempts from _writeback_ledger"

NEW = "not in the warehouse yet: the next sync loads it"

COMMANDS = (
    "check", "sync", "sweep", "status", "schedule", "answers", "writeback plan payments",
    "writeback push payments", "writeback test payments --record P1", "writeback retry payments",
    "writeback status payments",
)  # fmt: skip


@contextmanager
def project_of_0_1_0(folder: Path) -> Iterator[tuple[FrontDoor, Emulator]]:
    """The folder of a 0.1.0 user, and the account that it replicates.

    What the user wrote last, a view of theirs, is in the file's log (`.wal`) alone.
    """
    with tarfile.open(FIXTURE) as archive:
        archive.extractall(folder, filter="data")
    with duckdb.connect(str(folder / OLD_FILE)) as connection:
        connection.execute("pragma disable_checkpoint_on_shutdown")
        connection.execute("create schema marts")
        connection.execute("use invoiced.invoiced")
        connection.execute("create view invoiced.marts.names as select name from customers")
    assert (folder / f"{OLD_FILE}.wal").exists()
    with (
        Emulator(database=folder / "account.sqlite", api_key=KEY) as emulator,
        front_door(folder, emulator) as door,
    ):
        yield door, emulator


def moves_told(text: str) -> list[str]:
    """The commands that a refusal prints."""
    return [line.strip() for line in text.splitlines() if line.startswith("  ")]


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def old_project(tmp_path: Path) -> Iterator[tuple[FrontDoor, Emulator]]:
    """A project of 0.1.0 whose file was moved as this version says."""
    folder = tmp_path / "the project"
    with project_of_0_1_0(folder) as (door, emulator):
        refusal = door.run("invoiced-pipeline", "check", status=1).err
        for command in moves_told(refusal):
            subprocess.run(["/bin/sh", "-c", command], check=True)  # noqa: S603 - as printed
        assert [
            path.name for path in (folder / "data").iterdir() if "invoiced.d" in path.name
        ] == []
        yield door, emulator


def test_nothing_runs_beside_the_old_file(tmp_path: Path) -> None:
    materialize = (
        *("dagster", "asset", "materialize", "-m", "invoiced_pipeline.definitions"),
        *("--select", "invoiced/plans", "--partition", "2026-11-01"),
    )
    with project_of_0_1_0(tmp_path) as (door, emulator):
        requests: list[object] = []
        emulator.on_request = lambda *request: requests.append(request)
        before = contents(tmp_path / "data")
        running = {
            command: door.start("invoiced-pipeline", *command.split()) for command in COMMANDS
        }
        running["materialize"] = door.start(*materialize)
        for command, process in running.items():
            refusal = door.finish(process)
            assert refusal.status == 1, command
            assert f"kept it: {tmp_path / OLD_FILE}. This" in refusal.said, command
        after = contents(tmp_path / "data")
        # Dagster's own command opens its records before it loads the definitions.
        assert {p: text for p, text in after.items() if "dagster" not in p.parts} == before
        assert not requests


def test_the_file_itself_is_moved_last(tmp_path: Path) -> None:
    with project_of_0_1_0(tmp_path) as (door, _):
        data = tmp_path / "data"
        moves = moves_told(door.run("invoiced-pipeline", "check", status=1).err)
        names = ["invoiced.duckdb.wal", "invoiced.duckdb.invoiced.start_date", "invoiced.duckdb"]
        new = [name.replace("invoiced.duckdb", "warehouse.duckdb") for name in names]
        assert moves == [
            f"mv {data / old} {data / name}" for old, name in zip(names, new, strict=True)
        ]


def test_what_was_in_the_log_alone_is_there_after_the_move(
    old_project: tuple[FrontDoor, Emulator],
) -> None:
    door, _ = old_project
    assert door.query("select name from marts.names") == door.query("select name from customers")
    assert door.query("select count(*) from _sync_status") == [(9,)]


def test_a_sync_goes_on_where_the_old_version_stopped(
    old_project: tuple[FrontDoor, Emulator],
) -> None:
    door, _ = old_project
    deleted = "select id from estimates where _deleted_at is not null"
    before = door.query(deleted)
    rows = door.query("select count(*) from invoices")
    checked = {
        each["subject"]: each
        for each in json.loads(door.run("invoiced-pipeline", "check", "--json").out)
    }
    assert {name for name, each in checked.items() if NEW in each["detail"]} == {*TABLE_NAMES[9:]}
    tables = json.loads(door.sync("--json").out)["tables"]
    assert tables.keys() == {*TABLE_NAMES}
    # The start date holds for them, too: only one item has changed since.
    assert door.query("select count(*) from items") == [(1,)]
    assert door.query("select count(*) > 0 from tasks") == [(True,)]
    assert (
        door.query("select count(*) from notes union all select count(*) from refunds")
        == [(0,)] * 2
    )
    assert len(before) == 1
    assert door.query(deleted) == before
    assert door.query("select count(*) from invoices") == rows
    # The coverage of 0.1.0 counts: only what the overlap reaches is read again.
    assert tables["invoices"]["rows_loaded"] < rows[0][0]
    assert tables["invoices"]["coverage"].startswith("[2025-11-29 00:00:00,")


@pytest.mark.parametrize(("writeback", "kind"), [("new_customers", "customers"),
                                                 ("payments", "payments")])  # fmt: skip
def test_a_push_sends_nothing_twice(
    old_project: tuple[FrontDoor, Emulator], writeback: str, kind: str
) -> None:
    door, emulator = old_project
    before = sorted(door.query(LEDGER))
    records = len(list(emulator.store.all(kind)))
    pushed = door.run("invoiced-pipeline", "writeback", "push", writeback, "--json")
    report = json.loads(pushed.out)["report"]
    assert report["unchanged"] == report["rows"] > 0
    assert sorted(door.query(LEDGER)) == before
    assert len(list(emulator.store.all(kind))) == records


def test_the_file_is_converted_for_other_readers_and_keeps_its_ledger(
    old_project: tuple[FrontDoor, Emulator],
) -> None:
    door, emulator = old_project
    before = sorted(door.query(LEDGER))
    rows = door.query("select count(*) from invoices")
    records = len(list(emulator.store.all("customers")))
    assert storage_version(door) == ("v2.0.0", "DuckDB 2.0 and newer")
    moved = door.run("invoiced-pipeline", "move", "--storage-version", "v1.4.0")
    assert "now has storage version v1.4.0 (before: v2.0.0)" in moved.out
    assert storage_version(door) == ("v1.4.0", "DuckDB 1.4 and newer")
    door.run("invoiced-pipeline", "writeback", "push", "new_customers")
    assert sorted(door.query(LEDGER)) == before
    assert len(list(emulator.store.all("customers"))) == records
    tables = json.loads(door.sync("--select", "invoices", "--json").out)["tables"]
    assert tables["invoices"]["rows_loaded"] < rows[0][0]  # the coverage came along
    assert storage_version(door) == ("v1.4.0", "DuckDB 1.4 and newer")


def storage_version(door: FrontDoor) -> tuple[str, str]:
    """What `check` says of the file."""
    found = json.loads(door.run("invoiced-pipeline", "check", "--json").out)
    (finding,) = [each for each in found if each["subject"] == "destination"]
    return finding["storage_version"], finding["readers"]
