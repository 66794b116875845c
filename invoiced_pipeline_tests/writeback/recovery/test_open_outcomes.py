"""Outcomes that stay open: slow servers, dead processes, old keys, two pushes at once."""

from dataclasses import replace
from datetime import UTC, timedelta

import pytest

from invoiced_emulator.http.fault_injection import Fault
from invoiced_pipeline.exceptions import AuthenticationError, DatasetMismatchError
from invoiced_pipeline.invoiced.http.client import RetryPolicy
from invoiced_pipeline.invoiced.http.writer import InvoicedWriter
from invoiced_pipeline.writeback.ledger.ledger import Ledger
from invoiced_pipeline.writeback.plan.send_decision import Retries
from invoiced_pipeline.writeback.push import transitions
from invoiced_pipeline.writeback.push.report import PushReport, RowFailure
from invoiced_pipeline.writeback.recovery.outcome import KEY_LIFETIME
from invoiced_pipeline.writeback.recovery.resolver import OutcomeResolver, Resolution
from invoiced_pipeline_tests.writeback.push_harness import (
    DATASET,
    LONG,
    PushHarness,
    customers,
    planned,
)

pytestmark = pytest.mark.everywhere

SHORT_TIMEOUT = RetryPolicy(attempts=2, longest_wait=0.001, connect_seconds=5, read_seconds=0.2)
STALLS: list[Fault] = ["stall_before_commit", "stall_after_commit"]


def posts(pushing: PushHarness) -> int:
    return sum(method == "POST" for method, *_ in pushing.emulator.requests)


def count(pushing: PushHarness) -> int:
    return pushing.emulator.store.count("customers")


@pytest.mark.parametrize("stall", STALLS)
def test_server_that_commits_after_the_time_out(pushing: PushHarness, stall: Fault) -> None:
    pushing.retry_policy = SHORT_TIMEOUT
    pushing.emulator.faults.next(stall, method="POST")
    pushing(customers(1))
    pushing(customers(1))
    pushing.emulator.faults.stalls.wait()
    assert count(pushing) <= 1, "the first request is still running"
    pushing.emulator.faults.stalls.release()
    pushing.clock.at += LONG
    assert pushing(customers(1)).failure is None
    assert (count(pushing), posts(pushing)) == (1, 1)


def test_wait_is_long_enough_for_a_server_that_commits_late(pushing: PushHarness) -> None:
    pushing.retry_policy = SHORT_TIMEOUT
    pushing.emulator.faults.next("stall_before_commit", method="POST")
    pushing.clock.on_pause = pushing.emulator.faults.stalls.release
    assert pushing(customers(1), waits=True).failure is None
    assert (count(pushing), posts(pushing)) == (1, 1)
    assert pushing.clock.pauses == [pytest.approx(60.2)]


def test_without_the_wait_there_would_be_two_records(
    pushing: PushHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transitions, "is_finished", lambda _: True)
    pushing.retry_policy = SHORT_TIMEOUT
    pushing.emulator.faults.next("stall_before_commit", method="POST")
    pushing(customers(1))
    pushing.emulator.faults.stalls.release()
    assert count(pushing) == 2


@pytest.mark.parametrize("fault", ["lose_response", "fail_after_commit"])
def test_without_the_look_up_there_would_be_two_records(
    pushing: PushHarness, monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    monkeypatch.setattr(OutcomeResolver, "resolve", _not_done)
    if fault == "lose_response":
        monkeypatch.setattr(transitions, "may_reuse_key", lambda *_: False)  # another key, too
    pushing.emulator.faults.next(fault, method="POST")
    pushing(customers(1), waits=True)
    assert count(pushing) == 2


def _not_done(_resolver, entries, _others):
    return [Resolution(entry=entry, outcome="not_done") for entry in entries]


def test_same_key_prevents_a_second_record_that_the_look_up_misses(
    pushing: PushHarness, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OutcomeResolver, "resolve", _not_done)
    pushing.emulator.faults.next("lose_response", method="POST")
    assert pushing(customers(1), waits=True).failure is None
    assert (count(pushing), posts(pushing)) == (1, 2)


def killed(
    pushing: PushHarness, monkeypatch: pytest.MonkeyPatch, *, sends: bool, rows: int = 1
) -> None:
    """Runs a push that dies between its claim and the response."""
    with monkeypatch.context() as patched:
        send = InvoicedWriter.send

        def dying(self, request, **options):
            if sends:
                send(self, request, **options)
            raise KeyboardInterrupt

        patched.setattr(InvoicedWriter, "send", dying)
        patched.setattr(Ledger, "write", _once(Ledger.write))
        with pytest.raises(KeyboardInterrupt):
            pushing(customers(rows))
    assert pushing.states() == {f"k{at}": "sent" for at in range(rows)}


def _once(write):
    """Allows only the claim to be written, as if the process had died after it."""
    written = []

    def limited(self, entries, responses=()):
        if written and entries:
            raise KeyboardInterrupt
        written.extend(entries)
        return write(self, entries, responses)

    return limited


@pytest.mark.parametrize("rows", [1, 7])
def test_push_after_a_kill_says_how_many_why_and_until_when(
    pushing: PushHarness, monkeypatch: pytest.MonkeyPatch, rows: int
) -> None:
    killed(pushing, monkeypatch, sends=False, rows=rows)
    ends = {entry.may_run_until for entry in pushing.entries().values()}
    until = max(end for end in ends if end is not None).astimezone(UTC)
    failure = pushing(customers(rows)).failure
    counted = "1 row" if rows == 1 else "7 rows"
    assert failure == (
        f"Write-back 'create_customer': the outcome of {counted} is not known yet: a push claimed "
        "them and was stopped, or their response was lost. Their requests may still be carried "
        f"out until {until:%Y-%m-%d %H:%M:%S} UTC. Push again after that; the push looks up what "
        "became of them before it sends anything. First: record 'k0'"
    )
    pushing.clock.at = until  # the time in the message is late enough
    assert pushing(customers(rows)).failure is None
    assert (count(pushing), posts(pushing)) == (rows, rows)


def test_message_about_open_outcomes_never_says_none() -> None:
    for state in ("sent", "unknown"):
        report = PushReport(
            writeback="w", rows=1, failures=[RowFailure(record_key="k0", state=state)]
        )
        assert report.failure is not None
        assert "None" not in report.failure
        assert "'k0'" in report.failure


@pytest.mark.parametrize("sends", [True, False])
def test_requests_of_a_push_that_died_are_looked_up(
    pushing: PushHarness, monkeypatch: pytest.MonkeyPatch, sends: bool
) -> None:
    killed(pushing, monkeypatch, sends=sends)
    first = pushing.entries()["k0"]
    pushing.clock.at += timedelta(seconds=1)
    assert (pushing(customers(1)).failure is None) == sends
    assert pushing.states() == {"k0": "succeeded" if sends else "sent"}
    assert count(pushing) == sends
    assert first.may_run_until is not None
    pushing.clock.at = first.may_run_until
    assert pushing(customers(1)).failure is None
    assert (count(pushing), posts(pushing)) == (1, 1)
    assert pushing.entries()["k0"].idempotency_key == first.idempotency_key


@pytest.mark.parametrize("why", ["a day later", "another API key", "a stored failure"])
def test_idempotency_key_is_not_used_again(
    pushing: PushHarness, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    if why == "a stored failure":
        pushing.emulator.faults.next("rate5xx", method="POST")
        pushing(customers(1), meanwhile=lambda: None)
        keys = {row[0] for row in pushing.emulator.store.rows("SELECT key FROM replays", ())}
        assert len(keys) == 2, "one for the failure, one for the success"
    else:
        killed(pushing, monkeypatch, sends=False)
        first = pushing.entries()["k0"].idempotency_key
        pushing.clock.at += timedelta(days=1)
        if why == "another API key":
            pushing.clock.at -= timedelta(hours=12)
            pushing.api_key = "another0000000000000000000000000"
            pushing.emulator.keys[pushing.api_key] = "active"
        assert pushing(customers(1)).failure is None
        assert pushing.entries()["k0"].idempotency_key != first
    assert count(pushing) == 1


def test_stored_failure_that_was_carried_out_is_found(pushing: PushHarness) -> None:
    pushing.emulator.faults.next("fail_after_commit", method="POST")
    assert pushing(customers(1)).failure is None
    assert (count(pushing), posts(pushing)) == (1, 1)
    assert pushing.clock.pauses == []


def test_unknown_outcome_is_sent_again_only_on_request(pushing: PushHarness) -> None:
    pushing.operation = "attach_payment_source"
    pushing.emulator.store.put("customers", {"id": 7, "object": "customer", "name": "A"})
    pushing.emulator.store.put("cards", {"id": 1, "object": "card", "customer": 7, "created_at": 1})
    pushing.emulator.faults.next("lose_response", method="POST")
    body = {
        "method": "credit_card",
        "invoiced_token": "tok",
    }  # no record shows them, so nothing can be compared
    row = planned("r", body, path="/customers/7/payment_sources")
    for _ in range(2):
        report = pushing([row], waits=True)
        assert report.states == {"unknown": 1}
        assert "retry this record key" in (report.failure or "")
        pushing.clock.at += timedelta(days=2)
    assert pushing([row], retries=Retries(rejected=True)).states == {"unknown": 1}
    assert posts(pushing) == 1
    assert pushing([row], retries=Retries(record_keys=frozenset({"r"}))).failure is None
    assert posts(pushing) == 2


def test_two_pushes_at_once_send_a_row_once(pushing: PushHarness) -> None:
    other = replace(pushing)
    rows = customers(5)
    reports = []
    reports.append(pushing(rows, meanwhile=lambda: reports.append(other(rows[:3]))))
    assert [report.failure for report in reports] == [None, None]
    assert (count(pushing), posts(pushing)) == (5, 5)
    assert set(pushing.states().values()) == {"succeeded"}


def test_older_record_with_the_number_is_not_ours(pushing: PushHarness) -> None:
    old = {"id": 1, "object": "customer", "name": "Old", "number": "N-1", "created_at": 1000}
    pushing.emulator.store.put("customers", old)
    pushing.emulator.faults.next("drop_connection", method="POST")
    report = pushing([planned("r", {"name": "New", "number": "N-1"})], waits=True)
    assert report.states == {"rejected": 1}
    assert pushing.entries()["r"].invoiced_id is None


@pytest.mark.parametrize("first", ["lose_response", "drop_connection"])
def test_identical_rows_are_two_records(pushing: PushHarness, first: str) -> None:
    """Two identical rows whose responses were lost: two records, two IDs.

    Whichever row is credited with the one record that was created: replaying its creator's
    idempotency key returns it.
    """
    pushing.operation = "create_task"
    body = {"name": "Call", "action": "phone", "due_date": 1_800_000_000}
    rows = [planned(key, body, path="/tasks") for key in ("a", "b")]
    (second,) = {"lose_response", "drop_connection"} - {first}
    pushing.emulator.faults.next(first, method="POST")
    pushing.emulator.faults.next(second, method="POST")
    assert pushing(rows, waits=True).failure is None
    assert pushing.emulator.store.count("tasks") == 2
    assert len({entry.invoiced_id for entry in pushing.entries().values()}) == 2


def test_ledger_of_another_host_is_refused(pushing: PushHarness) -> None:
    pushing(customers(1))
    entry = replace(pushing.entries()["k0"], host="api.invoiced.com")
    Ledger(pushing.database, DATASET).write([entry])
    with pytest.raises(DatasetMismatchError, match=r"api\.invoiced\.com"):
        pushing(customers(2))
    assert posts(pushing) == 1


def test_wrong_key_sends_nothing(pushing: PushHarness) -> None:
    pushing.api_key = "wrong000000000000000000000000000"
    with pytest.raises(AuthenticationError) as caught:
        pushing(customers(2))
    assert pushing.api_key not in str(caught.value)
    assert set(pushing.states().values()) <= {"planned"}


def test_push_stops_when_the_api_is_down(pushing: PushHarness) -> None:
    pushing.emulator.faults.status5xx = 503
    pushing.emulator.faults.next("rate5xx", 1000, method="POST")
    report = pushing(customers(100))
    assert "nothing more was sent" in (report.failure or "")
    assert posts(pushing) < 100
    pushing.emulator.faults.clear()
    pushing.clock.at += LONG
    assert pushing(customers(100)).failure is None
    assert count(pushing) == 100


def test_key_lifetime_is_shorter_than_the_api_s() -> None:
    assert timedelta(hours=24) > KEY_LIFETIME
