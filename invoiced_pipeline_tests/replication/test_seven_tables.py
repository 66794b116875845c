"""Items, coupons, tax rates, notes, tasks, charges and refunds, from API to warehouse."""

from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from invoiced_emulator.seed import generate
from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLE_NAMES
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline_tests.change.reference_read import all_records, differences, held
from invoiced_pipeline_tests.change.simulated_account import SimulatedAccount, Step
from invoiced_pipeline_tests.conftest import NOW, Replica, customer
from invoiced_pipeline_tests.invoiced.handmade import HandmadeApi, Reply

SEVEN = TABLE_NAMES[9:]
HOUR = 3600


def requested(emulator: Emulator) -> Counter[str]:
    """How often each list was requested since the requests were forgotten."""
    return Counter(path for _, path, _, _ in emulator.requests)


@pytest.mark.everywhere
def test_the_replica_holds_what_the_lists_show(emulator: Emulator, replicate: Replica) -> None:
    for collection, record in generate(seed=5, customers=12, now=NOW):
        if collection in SEVEN:
            emulator.store.put(collection, record)
    replicate.ok(*SEVEN)
    truth = all_records(emulator, SEVEN)
    assert all(truth.values())
    assert differences(held(replicate, SEVEN), truth) == []
    versions = dict(replicate.query("select id, archived from items"))
    assert (versions["courier"], versions["fax-roll"]) == (False, True)
    assert dict(replicate.query("select id, value from coupons"))["SPRING"] == 15

    emulator.forget()
    reports = replicate.ok(*SEVEN, deletions="mark")
    assert {report.rows for report in reports.values()} == {0}
    # Lists that are read whole have one page of live and one of archived records.
    assert requested(emulator) == {
        **{f"/{name}": 2 for name in ("items", "coupons", "tax_rates", "events")},
        **{f"/{name}": 1 for name in ("notes", "tasks", "charges", "refunds")},
    }


@pytest.mark.parametrize("lost", [False, True], ids=["events", "sweep"])
def test_what_is_gone_is_marked(emulator: Emulator, tmp_path: Path, lost: bool) -> None:
    tables = ("customers", "notes", "tasks", "charges")
    account = SimulatedAccount(emulator, tmp_path, tables=tables)
    account.begin()
    before = len(emulator.store.all("charges"))
    for operation in ("delete_note", "delete_task", "delete_customer"):
        account.do(Step(operation, 0, wait=HOUR, lost=lost))
    account.judge()
    gone = "select count(*) from {} where _deleted_at is not null"
    counts = {name: account.replica.query(gone.format(name))[0][0] for name in tables}
    assert counts == {"customers": 1, "notes": 2, "tasks": 2, "charges": 0}
    assert len(emulator.store.all("charges")) == before


def test_a_merge_moves_notes_tasks_and_charges(emulator: Emulator, tmp_path: Path) -> None:
    tables = ("customers", "notes", "tasks", "charges")
    account = SimulatedAccount(emulator, tmp_path, tables=tables)
    account.begin()
    account.do(Step("merge_customers", 0, wait=HOUR))
    account.judge()
    assert account.refused == []


class OtherServer(HandmadeApi):
    """Another server with an emulator's records, which does not know some lists."""

    def __init__(self, emulator: Emulator, unknown: tuple[str, ...]) -> None:
        super().__init__(forward_to=emulator.url)
        self._unknown = unknown

    def answer(self, target: str, headers: dict[str, str]) -> Reply:
        path = urlsplit(target).path
        if path.strip("/") in self._unknown:
            message = f'{{"type": "invalid_request", "message": "Not recognized: GET {path}"}}'
            return 404, {}, message.encode()
        return super().answer(target, headers)


@pytest.mark.duckdb("no statement depends on the warehouse")
def test_a_server_that_does_not_know_the_lists(emulator: Emulator, database: Database) -> None:
    emulator.store.put("customers", customer(1))
    with OtherServer(emulator, SEVEN) as api:
        replica = Replica(api.url, emulator.api_key, database)
        reports = replica.ok("customers", *SEVEN)
    assert reports["customers"].rows == 1
    assert {name for name, report in reports.items() if report.unavailable} == {*SEVEN}
    assert "GET /notes answered 404: Not recognized" in str(reports["notes"].unavailable)
    replica.url = emulator.url
    emulator.store.put("tasks", task(1))
    assert replica.ok("customers", *SEVEN)["tasks"].rows == 1


def task(record_id: int, **fields: Any) -> dict[str, Any]:
    record = {"id": record_id, "name": "Call", "action": "phone", "customer_id": 1, "customer": 1}
    return record | {"created_at": NOW - 900, "updated_at": NOW - 900} | fields


def test_rejected_notes_and_tasks_are_asked_for_again(
    emulator: Emulator, replicate: Replica
) -> None:
    note = {"id": 7, "object": "note", "notes": "x", "customer": 1, "updated_at": NOW - 900}
    emulator.store.put_many("notes", [note | {"customer": "nobody"}, note | {"id": 8}])
    emulator.store.put_many("tasks", [task(7, user_id="nobody"), task(8)])
    replicate("notes", "tasks")
    assert (replicate.ids("notes"), replicate.ids("tasks")) == ([8], [8])
    emulator.clock.advance(2 * 86_400)
    emulator.store.put("notes", note)
    emulator.store.put("tasks", task(7))
    replicate.ok("notes", "tasks")
    assert (replicate.ids("notes"), replicate.ids("tasks")) == ([7, 8], [7, 8])
    assert replicate.ids("_rejected") == []
