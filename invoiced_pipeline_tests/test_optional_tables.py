"""Optional tables, as a user switches them on: commands, assets, logs and views."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import ALL_TABLES, OPTIONAL_TABLE_NAMES
from invoiced_pipeline_tests.front_door import FrontDoor, front_door, invoiced_account

START = (datetime.now(UTC) - timedelta(days=40)).replace(hour=0, minute=0, second=0, microsecond=0)
"""Few partitions: Dagster takes its time to record each of them for each table."""


def ids(door: FrontDoor, name: str) -> set[int]:
    return {row[0] for row in door.query(f"select id from {name} where _deleted_at is null")}


def changed(account: Emulator, collection: str, stamp: str) -> set[Any]:
    since = START.timestamp()
    return {each["id"] for each in account.store.all(collection) if each[stamp] >= since}


@pytest.mark.duckdb("reads the views' schema")
def test_a_variable_switches_them_on(tmp_path: Path) -> None:
    with invoiced_account(customers=8) as account, front_door(tmp_path, account) as door:
        door.environment["INVOICED_OPTIONAL_TABLES"] = ", ".join(OPTIONAL_TABLE_NAMES)
        door.environment["INVOICED_START_DATE"] = f"{START:%m/%d/%Y}"
        (one, *_) = account.store.all("contacts")
        account.store.put("contacts", one | {"updated_at": int(START.timestamp()) + 9})
        found = json.loads(door.run("invoiced-pipeline", "check", "--json").out)
        said = {each["subject"]: each["detail"] for each in found}
        assert said.keys() >= {table.name for table in ALL_TABLES}
        assert said["contacts"].startswith("8 requests at the first load")
        shown = door.sync()
        for name in OPTIONAL_TABLE_NAMES:
            assert name in shown.out
        assert ids(door, "contacts") == changed(account, "contacts", "updated_at") == {one["id"]}
        assert ids(door, "events") == changed(account, "events", "timestamp") != set()
        logged = door.query("select table_name, status, requests, rows from _sync_log")
        assert ("contacts", "succeeded", 9, 1) in logged
        current = "select count(*) from invoiced_current.contacts"
        assert door.query(current) == [(1,)]
        with door.instance() as instance:
            keys = {key.path[-1] for key in instance.all_asset_keys()}
        assert set(OPTIONAL_TABLE_NAMES) < keys
        # A deletion, seen by the next sync of this table alone.
        account.store.remove("contacts", one["id"])
        customer = account.store.get("customers", one["customer"]) or {}
        account.store.put("customers", customer | {"updated_at": account.clock.now()})
        account.forget()
        result = json.loads(door.sync("--select", "contacts", "--json").out)
        assert result["tables"]["contacts"]["deleted_rows"] == 1
        paths = [path for _, path, *_ in account.requests if path.endswith("/contacts")]
        assert paths == [f"/customers/{one['customer']}/contacts"]
        assert door.query(current) == [(0,)]
