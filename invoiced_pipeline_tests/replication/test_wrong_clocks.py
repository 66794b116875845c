"""A server's clock that is wrong during one sync hides no change from later syncs."""

from typing import Any

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLE_NAMES
from invoiced_pipeline.windows import from_epoch
from invoiced_pipeline_tests.conftest import NOW, Replica, customer

HOUR = 3600


@pytest.mark.everywhere
@pytest.mark.parametrize("changed", [10, 30 * 60, HOUR + 60])
@pytest.mark.parametrize("seen", [True, False])
def test_changes_after_a_sync_under_a_clock_that_was_ahead_arrive(
    emulator: Emulator, replicate: Replica, changed: int, seen: bool
) -> None:
    if seen:
        emulator.store.put("customers", customer(1, NOW - HOUR))
    emulator.clock.set(NOW + 2 * HOUR)
    assert replicate.ok("customers")["customers"].coverage.until == from_epoch(NOW + 7190)
    emulator.clock.set(NOW + HOUR + 120)
    emulator.store.put("customers", customer(2, NOW + changed))
    report = replicate.ok("customers")["customers"]
    assert replicate.ids("customers") == [1, 2] if seen else [2]
    assert "read again" in (report.warning or "")
    assert report.coverage.until == from_epoch(NOW + HOUR + 110)
    emulator.clock.advance(HOUR)
    assert replicate.ok("customers")["customers"].warning is None


def test_every_table_is_checked(emulator: Emulator, replicate: Replica) -> None:
    emulator.clock.set(NOW + 2 * HOUR)
    replicate.ok()
    emulator.clock.set(NOW + 120)
    reports = replicate.ok()
    assert reports.keys() == set(TABLE_NAMES)
    assert {report.coverage.until for report in reports.values()} == {from_epoch(NOW + 110)}


def test_deletions_after_such_a_sync_are_seen(emulator: Emulator, replicate: Replica) -> None:
    emulator.store.put("customers", customer(1, NOW - HOUR))
    emulator.clock.set(NOW + 2 * HOUR)
    replicate.ok("customers", deletions="mark")
    emulator.clock.set(NOW + 60)
    _delete(emulator, 1)
    emulator.clock.set(NOW + HOUR)
    replicate.ok("customers", deletions="mark")
    (deleted_at,) = replicate.query("select _deleted_at from customers")[0]
    assert deleted_at is not None


def test_a_clock_that_was_ahead_is_found_when_its_time_has_passed(
    emulator: Emulator, replicate: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By this machine's clock, the server's clock was two hours ahead, and is right again."""
    import invoiced_pipeline.replication.table.covered_pages as module

    class Local:
        at = NOW

        @classmethod
        def now(cls, _zone: Any) -> Any:
            return from_epoch(cls.at)

    monkeypatch.setattr(module, "datetime", Local)
    emulator.store.put("customers", customer(1, NOW - HOUR))
    emulator.clock.set(NOW + 2 * HOUR)
    replicate.ok("customers")
    Local.at = NOW + 3 * HOUR
    emulator.clock.set(Local.at)
    emulator.store.put("customers", customer(2, NOW + HOUR))
    assert "read again" in (replicate.ok("customers")["customers"].warning or "")
    assert replicate.ids("customers") == [1, 2]


def _delete(emulator: Emulator, record: int) -> None:
    import requests

    answer = requests.delete(
        f"{emulator.url}/customers/{record}", auth=(emulator.api_key, ""), timeout=30
    )
    assert answer.status_code == 204, answer.text
