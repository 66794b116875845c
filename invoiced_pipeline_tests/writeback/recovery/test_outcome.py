"""The rules for lost responses: the outcome of a request, and when its key is used again."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from invoiced_pipeline.writeback.ledger.keys import fingerprint, idempotency_key, marker
from invoiced_pipeline.writeback.ledger.ledger import Entry
from invoiced_pipeline.writeback.recovery.lookup_result import LookupResult
from invoiced_pipeline.writeback.recovery.outcome import Outcome, decide_outcome, may_reuse_key

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SENT = Entry(
    writeback="w",
    record_key="r",
    payload_hash="h",
    state="sent",
    idempotency_key="k",
    key_sent_at=NOW - timedelta(hours=1),
    may_run_until=NOW,
    api_key="fp",
)
PLANNED = replace(SENT, state="planned")
NOTHING = LookupResult()
RUNNING = replace(SENT, may_run_until=NOW + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("entry", "result", "outcome"),
    [
        (SENT, LookupResult((b"{}",), done=True), "succeeded"),
        (RUNNING, LookupResult((b"{}",), done=True), "succeeded"),
        (SENT, NOTHING, "not_done"),
        (RUNNING, NOTHING, "wait"),
        (SENT, LookupResult(taken=True), "taken"),
        (RUNNING, LookupResult(taken=True), "wait"),
        (SENT, None, "unknown"),
        (RUNNING, None, "unknown"),
        (SENT, LookupResult((b"{}",), done=True, certain=False), "unknown"),
        (SENT, LookupResult(done=False, certain=False), "unknown"),
    ],
)
def test_outcome_of_a_lost_response(
    entry: Entry, result: LookupResult | None, outcome: Outcome
) -> None:
    assert decide_outcome(entry, result, NOW) == outcome


@pytest.mark.parametrize(
    ("entry", "reuses"),
    [
        (PLANNED, True),
        (replace(PLANNED, key_sent_at=NOW - timedelta(hours=23)), False),
        (replace(PLANNED, key_sent_at=None), False),
        (replace(PLANNED, idempotency_key=None), False),
        (replace(PLANNED, status_code=500), False),
        (replace(PLANNED, status_code=400), False),
        (replace(PLANNED, payload_hash="other"), False),
        (replace(PLANNED, api_key="other"), False),
        (replace(PLANNED, state="rejected"), False),
        (replace(PLANNED, state="succeeded"), False),
        (SENT, False),
    ],
)
def test_key_is_reused(entry: Entry, reuses: bool) -> None:
    assert may_reuse_key(entry, "h", "fp", NOW) is reuses


TEXTS = st.text(max_size=40)


@given(TEXTS, TEXTS, st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=3), st.integers(0, 99))
def test_keys_fit_the_api(
    dataset: str, name: str, rows: list[tuple[str, str]], generation: int
) -> None:
    key = idempotency_key(dataset, name, rows, generation)
    assert re.fullmatch(r"[A-Za-z0-9._-]{6,64}", key)
    assert key == idempotency_key(dataset, name, list(rows), generation)
    assert key != idempotency_key(dataset, name, rows, generation + 1)
    assert key != idempotency_key(dataset, f"{name}x", rows, generation)


def test_keys_of_other_rows_differ() -> None:
    rows = [[("a", "bc")], [("ab", "c")], [("a", "b")], [("a", "b"), ("c", "d")]]
    keys = {idempotency_key("d", "w", each, 1) for each in rows}
    assert len(keys) == len(rows)
    assert marker("d", "w", "a") != marker("d", "w", "b")


def test_fingerprint_does_not_reveal_the_key() -> None:
    key = SecretStr("a" * 32)
    assert fingerprint(key) != fingerprint(SecretStr("b" * 32))
    assert "aaaa" not in fingerprint(key)
