"""A push: every row is sent once, and the ledger says what became of it."""

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any
from unittest import mock

import pytest

from invoiced_emulator.http.fault_injection import Fault
from invoiced_pipeline_tests.writeback.push_harness import LONG, PushHarness, customers, planned

pytestmark = pytest.mark.everywhere


def names(pushing: PushHarness) -> list[str]:
    return sorted(record["name"] for record in pushing.emulator.store.all("customers"))


def posts(pushing: PushHarness) -> int:
    return sum(method == "POST" for method, *_ in pushing.emulator.requests)


def test_new_rows_are_sent_once(pushing: PushHarness) -> None:
    rows = customers(30)
    report = pushing(rows)
    assert report.failure is None
    assert (report.succeeded, report.verified, report.states) == (30, 30, {"succeeded": 30})
    assert names(pushing) == sorted(row.body["name"] for row in rows if row.body)
    ids = {record["id"] for record in pushing.emulator.store.all("customers")}
    entries = pushing.entries().values()
    assert {int(entry.invoiced_id or 0) for entry in entries} == ids
    assert all(entry.attempts == 1 and entry.status_code == 201 for entry in entries)
    assert pushing(rows).succeeded == 0
    assert posts(pushing) == 30


@pytest.mark.parametrize("fault", ["lose_response", "fail_after_commit", "truncate_body"])
def test_committed_request_is_looked_up_and_not_sent_again(
    pushing: PushHarness, fault: Fault
) -> None:
    pushing.emulator.faults.next(fault, method="POST")
    report = pushing(customers(3))
    assert report.failure is None
    assert names(pushing) == ["Customer 0", "Customer 1", "Customer 2"]
    assert posts(pushing) == 3
    assert set(pushing.states().values()) == {"succeeded"}


def test_request_lost_before_the_commit(pushing: PushHarness) -> None:
    pushing.emulator.faults.next("drop_connection", method="POST")
    report = pushing(customers(2))
    assert report.states == {"succeeded": 1, "sent": 1}
    assert "not known" in (report.failure or "")
    key = next(each for each in pushing.entries().values() if each.state == "sent")
    assert pushing(customers(2)).states["sent"] == 1, "the first request may still be running"
    assert posts(pushing) == 2
    pushing.clock.at += LONG
    assert pushing(customers(2)).failure is None
    assert names(pushing) == ["Customer 0", "Customer 1"]
    again = pushing.entries()[key.record_key]
    assert again.idempotency_key == key.idempotency_key
    assert (again.attempts, again.state) == (2, "succeeded")


def test_claims_that_an_interruption_left_unsent_are_given_back(pushing: PushHarness) -> None:
    submit, left = ThreadPoolExecutor.submit, 10

    def submit_or_stop(executor: ThreadPoolExecutor, *arguments: Any) -> Future[Any]:
        nonlocal left
        if not left and executor._thread_name_prefix == "writeback":
            raise KeyboardInterrupt
        left -= 1
        return submit(executor, *arguments)

    rows = customers(30)
    with (
        mock.patch.object(ThreadPoolExecutor, "submit", submit_or_stop),
        pytest.raises(KeyboardInterrupt),
    ):
        pushing(rows)
    states = list(pushing.states().values())
    assert states.count("sent") == 1, "the one that was being handed over may have been sent"
    assert states.count("succeeded") + states.count("planned") == 29
    assert states.count("succeeded") == posts(pushing) <= 10


def test_waiting_push_resolves_its_own_open_outcomes(pushing: PushHarness) -> None:
    pushing.emulator.faults.next("drop_connection", method="POST")
    assert pushing(customers(2), waits=True).failure is None
    assert names(pushing) == ["Customer 0", "Customer 1"]
    assert len(pushing.clock.pauses) == 1


def test_refused_row_is_rejected_until_it_changes(pushing: PushHarness) -> None:
    rows = [*customers(2), planned("bad", {"name": "B", "email": "nonsense"})]
    report = pushing(rows)
    assert report.states == {"succeeded": 2, "rejected": 1}
    (problem,) = report.failures
    assert (problem.record_key, problem.status_code, problem.error_param) == ("bad", 400, "email")
    assert "Email must be a valid email address" in (report.failure or "")
    assert pushing(rows).states["rejected"] == 1
    assert posts(pushing) == 3
    rows[2] = planned("bad", {"name": "B", "email": "b@example.com"})
    assert pushing(rows).failure is None
