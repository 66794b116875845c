"""`kill -9` of a real sync into PostgreSQL: the lock dies with it, the same command mends it."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import SecretStr

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLES
from invoiced_pipeline.warehouse.postgres.database import PostgresDatabase
from invoiced_pipeline_tests.conftest import customer
from invoiced_pipeline_tests.front_door import (
    FrontDoor,
    Gate,
    expected,
    front_door,
    invoiced_account,
    wait_until,
)
from invoiced_pipeline_tests.postgres_server import PASSWORD, new_database

_TODAY = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
START = _TODAY - timedelta(days=70)


@pytest.fixture
def url(postgres_url: str) -> Iterator[str]:
    with new_database(postgres_url) as url:
        yield url


@pytest.fixture
def account() -> Iterator[Emulator]:
    with invoiced_account(customers=10) as emulator:
        yield emulator


@pytest.fixture
def door(tmp_path: Path, account: Emulator, url: str) -> Iterator[FrontDoor]:
    with front_door(tmp_path, account) as door:
        door.environment |= {
            "INVOICED_DESTINATION": "postgres",
            "INVOICED_POSTGRES_URL": url,
            "INVOICED_START_DATE": START.isoformat(),
        }
        yield door
        for path in door.files():
            assert PASSWORD.encode() not in path.read_bytes(), path


@pytest.mark.slow
def test_killed_while_reading_and_while_loading(
    door: FrontDoor, account: Emulator, url: str, tmp_path: Path
) -> None:
    server = PostgresDatabase(SecretStr(url), tmp_path)
    gate = Gate(account, after=3)
    process = door.start("invoiced-pipeline", "sync")
    assert gate.reached.wait(120)
    holder = wait_until(lambda: server.current_holder("invoiced"), "the lock is held")
    assert holder.pid == process.pid
    refused = door.sync(status=1)
    assert f"another run writes this warehouse: run {holder.run_id}" in refused.err
    assert PASSWORD not in refused.said
    door.kill(process)
    gate.open()
    wait_until(lambda: server.current_holder("invoiced") is None, "the lock is free")

    process = door.start("invoiced-pipeline", "sync")
    packages = door.folder / "data" / "postgres.dlt"
    wait_until(
        lambda: (
            any(packages.glob("*/load/normalized/*/started_jobs/*")) or process.poll() is not None
        ),
        "loading",
    )
    door.kill(process)

    said = json.loads(door.sync("--json").out)
    assert said["error"] is None
    assert list(door.runs().values()) == ["SUCCESS", "FAILURE", "FAILURE", "FAILURE"]
    known = expected(account, int(START.timestamp()))
    with server.session("invoiced", read_only=True) as session:
        for table in TABLES:
            ids = [row[0] for row in session.rows(f"select id from {table.name}")]
            assert len(ids) == len(set(ids))
            assert set(ids) == known[table.name].keys()
            for child in table.children:
                if table.name == "plans":  # of reused ids only one version has rows
                    continue
                name, array = table.child_name(child), child.array
                ((elements,),) = session.rows(
                    f"select coalesce(sum(json_array_length({array})), 0) from {table.name} "
                    f"where json_typeof({array}) = 'array'"
                )
                assert session.rows(f"select count(*) from {name}") == [(elements,)]


@pytest.mark.slow
def test_two_machines_share_a_dataset(
    door: FrontDoor, account: Emulator, url: str, tmp_path: Path
) -> None:
    """Each has a folder and a Dagster of its own; what one has read, the other does not read."""
    server = PostgresDatabase(SecretStr(url), tmp_path)
    with front_door(tmp_path / "other", account) as other:
        other.environment |= {
            name: value for name, value in door.environment.items() if name.startswith("INVOICED_")
        }
        door.sync()
        at = account.clock.now()
        account.store.put("customers", customer(900_001, at))
        said = json.loads(other.sync("--json").out)
        loaded = {name: table["rows_loaded"] for name, table in said["tables"].items()}
        assert loaded["customers"] >= 1
        assert sum(loaded.values()) < 10  # but for the overlap, the account has hundreds

        gate = Gate(account)
        running = other.start("invoiced-pipeline", "sync")
        assert gate.reached.wait(120)
        holder = wait_until(lambda: server.current_holder("invoiced"), "the lock is held")
        assert f"run {holder.run_id} (pid {running.pid}, since " in door.sync(status=1).err
        other.kill(running)
        gate.open()
        wait_until(lambda: server.current_holder("invoiced") is None, "the lock is free")
        door.sync()  # the dead run is another machine's: nothing here needs to know of it
        other.sync()
        assert list(other.runs().values()) == ["SUCCESS", "FAILURE", "SUCCESS"]
        assert list(door.runs().values()) == ["SUCCESS", "FAILURE", "SUCCESS"]
        with server.session("invoiced", read_only=True) as session:
            ids = [row[0] for row in session.rows("select id from customers")]
        known = expected(account, int(START.timestamp()))["customers"]
        assert sorted(ids) == sorted(known)
