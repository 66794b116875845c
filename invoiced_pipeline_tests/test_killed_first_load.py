"""`kill -9` in the midst of a first load in packages: the next sync goes on where it was."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLES
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.source import SOURCE_NAME
from invoiced_pipeline.warehouse.dlt_load import remembered_state
from invoiced_pipeline.windows import Window
from invoiced_pipeline_tests.front_door import FrontDoor, front_door, invoiced_account
from invoiced_pipeline_tests.test_crash import START, assert_mended

_KILLED_SYNC = """
import os, signal, sys
from unittest import mock

from dlt import Pipeline
from invoiced_pipeline.cli import main
from invoiced_pipeline.replication.replication import Replication
from invoiced_pipeline_tests.change.simulated_account import small_packages, small_pages

moment, left = sys.argv.pop(1), int(sys.argv.pop(1))
owner, name = (Replication, "end_package") if moment == "loaded" else (Pipeline, moment)
step = getattr(owner, name)

def killed(*arguments, **options):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)
    return step(*arguments, **options)

with small_packages(30), small_pages(5), mock.patch.object(owner, name, killed):
    main()
"""
"""A sync that kills itself when a package with some number is loaded, or before a step of it."""


@pytest.fixture
def account() -> Iterator[Emulator]:
    with invoiced_account(customers=25) as emulator:
        yield emulator


@pytest.fixture
def door(tmp_path: Path, account: Emulator) -> Iterator[FrontDoor]:
    with front_door(tmp_path, account) as door:
        door.environment["INVOICED_START_DATE"] = START.isoformat()
        yield door


def read_until_death(door: FrontDoor) -> dict[str, tuple[Window, ...]]:
    """What the dead run had read and committed, by the path of a table."""
    state = remembered_state(door.database.pipeline("invoiced"), door.database, SOURCE_NAME)
    found = ((table.path, DatasetState(state).partial_read(table.name)) for table in TABLES)
    return {path: read.coverage.windows for path, read in found if read is not None}


def requested(account: Emulator) -> list[tuple[str, Window]]:
    """Path and window of the requests since the log was emptied."""
    return [
        (
            path,
            Window.from_epochs(
                int(query["updated_after"]) + 1, int(query.get("updated_before", 2**33))
            ),
        )
        for _, path, query, _ in account.requests
        if "updated_after" in query
    ]


@pytest.mark.parametrize(
    ("moment", "package"),
    [
        ("loaded", 2),
        pytest.param("loaded", 1, marks=pytest.mark.slow),
        pytest.param("normalize", 1, marks=pytest.mark.slow),
        pytest.param("normalize", 2, marks=pytest.mark.slow),
        pytest.param("load", 2, marks=pytest.mark.slow),
        pytest.param("load", 3, marks=pytest.mark.slow),
    ],
)
def test_killed_between_packages(
    moment: str, package: int, door: FrontDoor, account: Emulator
) -> None:
    oldest = min(
        (each for each in account.store.all("invoices") if each["updated_at"] >= START.timestamp()),
        key=lambda each: each["updated_at"],
    )
    account.store.put("invoices", oldest | {"paid": 7})
    command = ("sync", "--select", "invoices,payments")
    process = door.start("python", "-c", _KILLED_SYNC, moment, str(package), *command)
    said = door.finish(process)
    assert said.status == -signal.SIGKILL, said.said
    committed = package if moment == "loaded" else package - 1
    if committed:
        assert door.query("select count(*) from _dlt_loads") == [(committed,)]
        assert door.query("select id from _rejected") == [(str(oldest["id"]),)]
    account.store.put("invoices", oldest)  # it fits now, and no window shows it again

    read = read_until_death(door)
    assert bool(read) == bool(committed)
    account.forget()
    assert_mended(door, account)
    again = [
        (path, window)
        for path, window in requested(account)
        for known in read.get(path, ())
        if not window.intersect(known).is_empty
    ]
    assert again == []
    assert door.query("select count(*) from _rejected") == [(0,)]
    assert read_until_death(door) == {}
    log = "select distinct status, coverage_before from _sync_log where table_name = 'invoices'"
    assert door.query(log) == [("succeeded", "nothing")]
