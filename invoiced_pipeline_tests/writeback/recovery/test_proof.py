"""A success needs proof: a record in the response, and more in common than a number."""

from datetime import timedelta
from typing import Any

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.writeback.recovery.resolver import OutcomeResolver
from invoiced_pipeline_tests.conftest import NOW, Replica, customer
from invoiced_pipeline_tests.writeback.plans import ledger_entry, plan_of
from invoiced_pipeline_tests.writeback.push_harness import PushHarness, customers, planned
from invoiced_pipeline_tests.writeback.test_exactly_once import (
    CHANGES,
    CREATIONS,
    Case,
    prepare,
)

pytestmark = pytest.mark.everywhere

BODIES = [
    b"", b"null", b"{}", b"[]", b"OK", b"<html></html>", b'{"id": null}', b'{"id": ""}',
    b'{"id": false}', b'[{"id": 1}]', b'{"ok": true}',
]  # fmt: skip
NUMBERED: dict[str, Any] = {"name": "New", "number": "N-1"}


def writes(pushing: PushHarness) -> int:
    return sum(method != "GET" for method, *_ in pushing.emulator.requests)


@pytest.mark.parametrize("body", [b"", b"{}"])
@pytest.mark.parametrize("case", [*CREATIONS, *CHANGES], ids=str)
def test_response_without_a_record(pushing: PushHarness, case: Case, body: bytes) -> None:
    """Every operation: the same push looks the record up, and the ledger has its ID."""
    prepare(pushing, case)
    pushing.operation = case.operation
    before = case.count(pushing)
    pushing.emulator.faults.body = body
    pushing.emulator.faults.next("replace_body", method=case.row.method)
    report = pushing([case.row], waits=True)
    assert (report.failure, writes(pushing)) == (None, 1)
    assert case.count(pushing) == before + 1
    assert pushing.states() == {"r": "succeeded"}
    if case in CREATIONS:
        assert pushing.entries()["r"].invoiced_id is not None


@pytest.mark.parametrize("body", BODIES)
def test_change_after_a_response_without_a_record_creates_no_second(
    pushing: PushHarness, body: bytes
) -> None:
    pushing.emulator.faults.body = body
    pushing.emulator.faults.next("replace_body", 30, method="POST")
    assert pushing(customers(30)).failure is None
    assert (pushing.emulator.store.count("customers"), writes(pushing)) == (30, 30)
    assert len({each.invoiced_id for each in pushing.entries().values()} - {None}) == 30
    pushing([planned("k0", {"name": "Changed"})])
    assert pushing.emulator.store.count("customers") == 30


@pytest.mark.parametrize("method", ["POST", "PATCH"])
def test_response_with_another_record(pushing: PushHarness, method: str) -> None:
    pushing.emulator.store.put("customers", {**CUSTOMER, "id": 7, "number": "OTHER"})
    create = planned("r", NUMBERED)
    update = planned("r", {"name": "New"}, action="update", method="PATCH", path="/customers/7")
    pushing.operation = "create_customer" if method == "POST" else "update_customer"
    pushing.emulator.faults.body = b'{"id": 999, "number": "OTHER"}'
    pushing.emulator.faults.next("replace_body", method=method)
    assert pushing([create if method == "POST" else update]).failure is None
    assert pushing.entries()["r"].invoiced_id != "999"
    assert writes(pushing) == 1


CUSTOMER: dict[str, Any] = {
    "object": "customer", "name": "Acme", "created_at": NOW - 90 * 86400, "updated_at": NOW - 1000,
}  # fmt: skip


def put_number(pushing: PushHarness, age: int = 1, **fields: Any) -> None:
    """Puts somebody else's record with the number, created `age` seconds ago."""
    made = int(pushing.clock.at.timestamp()) - age
    record = {**CUSTOMER, "id": 77, **NUMBERED, "created_at": made, **fields}
    pushing.emulator.store.put("customers", record)


@pytest.mark.parametrize("fault", ["drop_connection", "rate5xx"])
def test_number_that_somebody_used_a_moment_before(pushing: PushHarness, fault: Any) -> None:
    """The response stored under the key decides; without one, a person has to look."""
    put_number(pushing, name="Somebody else")
    pushing.emulator.faults.next(fault, method="POST")
    pushing([planned("r", NUMBERED)], waits=True)
    expected = {"drop_connection": "rejected", "rate5xx": "unknown"}[fault]
    assert pushing.states() == {"r": expected}
    assert pushing.entries()["r"].invoiced_id is None


@pytest.mark.parametrize("fault", ["lose_response", "fail_after_commit"])
@pytest.mark.parametrize("jump", [timedelta(hours=-1), timedelta(hours=1)])
def test_clock_jumps_between_request_and_look_up(
    pushing: PushHarness, jump: timedelta, fault: Any
) -> None:
    rows = [planned(f"r{at}", {"name": f"New {at}", "number": f"N-{at}"}) for at in range(10)]
    pushing.emulator.faults.next(fault, 10, method="POST")
    # The clock of the emulator's records differs from that of its Date header by then.
    pushing.emulator.clock.set(int(pushing.clock.at.timestamp()))
    initialise = OutcomeResolver.__init__

    def jumping(self: OutcomeResolver, client: Any, clock: Any, ahead: timedelta) -> None:
        initialise(self, client, clock, jump)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(OutcomeResolver, "__init__", jumping)
        pushing(rows, waits=True)
    assert "rejected" not in pushing.states().values()
    assert pushing.emulator.store.count("customers") == 10
    if fault == "lose_response" or jump < timedelta():
        assert set(pushing.states().values()) == {"succeeded"}
        assert len({each.invoiced_id for each in pushing.entries().values()}) == 10


@pytest.mark.parametrize("ahead", [timedelta(hours=-1), timedelta(hours=1)])
def test_api_clock_differs_from_ours(pushing: PushHarness, ahead: timedelta) -> None:
    pushing.emulator.clock.set(int((pushing.clock.at + ahead).timestamp()))
    rows = [planned(f"r{at}", {"name": f"New {at}", "number": f"N-{at}"}) for at in range(10)]
    pushing.emulator.faults.next("fail_after_commit", 10, method="POST")
    assert pushing(rows, waits=True).failure is None
    assert (pushing.emulator.store.count("customers"), writes(pushing)) == (10, 10)


def test_one_record_never_belongs_to_two_rows(pushing: PushHarness) -> None:
    """Two rows with one number, should they ever be sent, and both responses lost."""
    pushing.emulator.faults.next("lose_response", 2, method="POST")
    pushing([planned("a", NUMBERED), planned("b", NUMBERED)], waits=True)
    assert sorted(pushing.states().values()) == ["rejected", "succeeded"]
    assert pushing.emulator.store.count("customers") == 1


def test_number_twice_in_a_source(database: Database) -> None:
    rows = [
        {"key": key, "name": key, "number": number}
        for key, number in (("a", "N-1"), ("b", "n-1 "), ("c", "N-2"), ("a", "N-1"), ("d", None))
    ]
    plan = plan_of(database, "create_customer", *rows)
    invalid = [at for at, row in enumerate(plan.rows) if row.action == "invalid"]
    assert invalid == [1]
    assert "record key 'a'" in (plan.rows[1].reason or "")


def test_number_of_an_invalid_row_is_free(database: Database) -> None:
    rows = [{"key": "a", "number": "N-1"}, {"key": "b", "name": "B", "number": "N-1"}]
    plan = plan_of(database, "create_customer", *rows)
    assert [row.action for row in plan.rows] == ["invalid", "create"]


def test_number_belongs_to_the_row_that_was_sent(database: Database) -> None:
    rows = [{"key": key, "name": key, "number": "N-1"} for key in ("new", "old")]
    first = plan_of(database, "create_customer", rows[1])
    sent = ledger_entry(
        state="succeeded",
        payload_hash=first.rows[0].payload_hash,
        succeeded_hash=first.rows[0].payload_hash,
        invoiced_id="5",
    )
    plan = plan_of(database, "create_customer", *rows, known={"old": sent})
    assert [row.action for row in plan.rows] == ["invalid", "unchanged"]


def replicated(emulator: Emulator, replicate: Replica, **fields: Any) -> None:
    emulator.store.put("customers", customer(7, number="N-1", name="Acme", **fields))
    replicate("customers")


@pytest.mark.parametrize("number", ["N-1", "n-1", " N-1 "])
def test_number_that_the_replica_holds(
    emulator: Emulator, replicate: Replica, database: Database, number: str
) -> None:
    replicated(emulator, replicate)
    row = {"key": "a", "name": "Other", "number": number}
    (found,) = plan_of(database, "create_customer", row).rows
    assert (found.action, found.reason_param) == ("invalid", "number")
    assert "already exists in Invoiced (id 7). Use update_customer" in (found.reason or "")
    (unchecked,) = plan_of(database, "create_customer", row, check_replica=False).rows
    assert unchecked.action == "create"


@pytest.mark.parametrize("state", ["sent", "planned"])
def test_number_of_a_row_whose_outcome_is_open(
    emulator: Emulator, replicate: Replica, database: Database, state: Any
) -> None:
    replicated(emulator, replicate)
    row = {"key": "a", "name": "Other", "number": "N-1"}
    known = {"a": ledger_entry(state=state, payload_hash="h")}
    (found,) = plan_of(database, "create_customer", row, known=known).rows
    assert found.action == ("held" if state == "sent" else "create")


def test_number_of_a_deleted_record_is_free(
    emulator: Emulator, replicate: Replica, database: Database
) -> None:
    replicated(emulator, replicate)
    with database.session("invoiced") as session:
        session.run("update customers set _deleted_at = current_timestamp")
    row = {"key": "a", "name": "Other", "number": "N-1"}
    (found,) = plan_of(database, "create_customer", row).rows
    assert found.action == "create"


def test_record_with_the_row_s_content_is_adopted(
    emulator: Emulator, replicate: Replica, database: Database
) -> None:
    """A warehouse restored from a backup: the record exists, its ledger entry does not."""
    replicated(emulator, replicate)
    pushing = PushHarness(emulator, database)
    rows = [
        planned("a", {"name": "Acme", "number": "N-1"}, wanted={"name": "Acme", "number": "N-1"})
    ]
    report = pushing(rows)
    assert (report.failure, writes(pushing)) == (None, 0)
    assert pushing.entries()["a"].invoiced_id == "7"


def test_record_of_another_row_is_not_adopted(
    emulator: Emulator, replicate: Replica, database: Database
) -> None:
    """A renamed record key does not adopt the record of its old key."""
    replicated(emulator, replicate)
    known = {
        "old": ledger_entry(
            state="succeeded", payload_hash="h", succeeded_hash="h", invoiced_id="7"
        )
    }
    row = {"key": "new", "name": "Acme", "number": "N-1"}
    (found,) = plan_of(database, "create_customer", row, known=known).rows
    assert found.action == "invalid"
