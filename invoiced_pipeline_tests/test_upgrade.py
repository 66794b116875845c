"""A project of version 0.1.0 goes on with this version: nothing is lost, and nothing sent twice."""

import json
import tarfile
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from invoiced_pipeline.emulator.server import Emulator
from invoiced_pipeline_tests.front_door import KEY, FrontDoor, front_door

pytestmark = [
    pytest.mark.duckdb("the fixture is a DuckDB file"),
    pytest.mark.skipif(duckdb.__version__ < "2", reason="DuckDB 2.0 made the fixture's file"),
]

FIXTURE = Path(__file__).parent / "fixtures" / "warehouse_0_1_0.tar.xz"
LEDGER = "select writeback, record_key, state, invoiced_id, attempts from _writeback_ledger"


@pytest.fixture
def old_project(tmp_path: Path) -> Iterator[tuple[FrontDoor, Emulator]]:
    """The folder of a 0.1.0 user, and the account that it replicates."""
    folder = tmp_path / "project"
    with tarfile.open(FIXTURE) as archive:
        archive.extractall(folder, filter="data")
    with (
        Emulator(database=folder / "account.sqlite", api_key=KEY) as emulator,
        front_door(folder, emulator) as door,
    ):
        yield door, emulator


def test_a_sync_goes_on_where_the_old_version_stopped(
    old_project: tuple[FrontDoor, Emulator],
) -> None:
    door, _ = old_project
    deleted = "select id from estimates where _deleted_at is not null"
    before = door.query(deleted)
    rows = door.query("select count(*) from invoices")
    tables = json.loads(door.sync("--json").out)["tables"]
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
    assert "has storage version v1.4.0 now (before: v2.0.0)" in moved.out
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
