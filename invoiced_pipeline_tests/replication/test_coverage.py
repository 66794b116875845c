"""Coverage: a sync does not read again what was read before, and misses nothing."""

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLE_NAMES
from invoiced_pipeline.exceptions import DatasetMismatchError, WarehouseError
from invoiced_pipeline.windows import Window, from_epoch
from invoiced_pipeline_tests.conftest import NOW, START, Replica, customer, invoice, items

DAY = 86_400


def put_customers(emulator: Emulator, *updated: int, first: int = 1) -> None:
    emulator.store.put_many(
        "customers", (customer(number, second) for number, second in enumerate(updated, first))
    )


def asked(emulator: Emulator, path: str = "/customers") -> list[tuple[int, int | None]]:
    """Bounds of the requested windows since the log was emptied."""
    found = []
    for _, where, query, _ in emulator.requests:
        if where == path:
            before = query.get("updated_before")
            found.append((int(query["updated_after"]) + 1, int(before) if before else None))
    emulator.forget()
    return sorted(found, key=lambda bounds: bounds[0])


def test_second_sync_reads_what_is_new(emulator: Emulator, replicate: Replica) -> None:
    put_customers(emulator, *(NOW - DAY + second for second in range(500)))
    first = replicate.ok("customers")["customers"]
    assert first.rows == 500
    assert first.coverage.until == from_epoch(NOW) - timedelta(seconds=10)
    emulator.forget()
    emulator.clock.advance(3600)
    put_customers(emulator, emulator.clock.now() - 20, first=7)
    second = replicate.ok("customers")["customers"]
    assert second.rows == 1
    assert asked(emulator) == [(NOW - 310, None)]
    assert len(replicate.ids("customers")) == 500
    assert second.coverage.since == START


def test_sync_without_news_moves_the_coverage(emulator: Emulator, replicate: Replica) -> None:
    replicate.ok("customers", "credit_balance_adjustments", "plans")
    emulator.clock.advance(3600)
    replicate.ok("customers", "credit_balance_adjustments", "plans")
    emulator.clock.advance(3600)
    emulator.forget()
    reports = replicate.ok("customers", "credit_balance_adjustments", "plans")
    ends = {report.coverage_before.until for report in reports.values()}
    assert ends == {from_epoch(NOW + 3590)}
    assert len(emulator.requests) == 4


def test_record_that_becomes_visible_late_is_found_by_the_overlap(
    emulator: Emulator, replicate: Replica
) -> None:
    put_customers(emulator, NOW - 200)
    emulator.store.hold("customers", 1)
    replicate.ok("customers")
    emulator.store.release("customers", 1)
    emulator.clock.advance(60)
    replicate.ok("customers")
    assert replicate.ids("customers") == [1]


def test_start_date_moved_earlier_and_later(emulator: Emulator, replicate: Replica) -> None:
    stamps = [datetime(year, 6, 1, tzinfo=UTC) for year in (2019, 2020, 2021, 2022)]
    put_customers(emulator, *(int(stamp.timestamp()) for stamp in stamps))
    replicate.ok("customers", start=datetime(2021, 1, 1, tzinfo=UTC))
    assert replicate.ids("customers") == [3, 4]
    emulator.forget()
    earlier = replicate.ok("customers", start=datetime(2020, 1, 1, tzinfo=UTC))["customers"]
    assert replicate.ids("customers") == [2, 3, 4]
    begin, end = (int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) for year in (2020, 2021))
    assert asked(emulator) == [(begin, end), (NOW - 310, None)]
    assert earlier.rows == 1
    later = replicate.ok("customers", start=datetime(2022, 1, 1, tzinfo=UTC))["customers"]
    assert asked(emulator) == [(NOW - 310, None)]
    assert replicate.ids("customers") == [2, 3, 4]
    assert later.coverage.since == datetime(2020, 1, 1, tzinfo=UTC)


def test_start_date_is_exact_to_the_second(emulator: Emulator, replicate: Replica) -> None:
    start = int(START.timestamp())
    stamps = [start - 1, start, start + 1]
    put_customers(emulator, *stamps)
    emulator.store.put_many(
        "plans", [{"id": f"p{n}", "updated_at": stamp} for n, stamp in enumerate(stamps)]
    )
    emulator.store.put_many(
        "credit_balance_adjustments", [{"id": n, "updated_at": s} for n, s in enumerate(stamps, 1)]
    )
    replicate.ok("customers", "plans", "credit_balance_adjustments")
    assert replicate.ids("customers") == replicate.ids("credit_balance_adjustments") == [2, 3]
    assert replicate.ids("plans") == ["p1", "p2"]


def test_window_and_full_read_again_what_is_covered(emulator: Emulator, replicate: Replica) -> None:
    put_customers(emulator, *(NOW - 10 * DAY + position * DAY for position in range(9)))
    replicate.ok("customers")
    emulator.store.put("customers", customer(3, NOW - 8 * DAY, name="renamed without a stamp"))
    window = Window.from_epochs(NOW - 9 * DAY, NOW - 7 * DAY)
    report = replicate.ok("customers", mode="window", window=window)["customers"]
    assert report.rows == 2
    assert report.coverage == report.coverage_before
    assert replicate.query("select name from customers where id = 3") == [
        ("renamed without a stamp",)
    ]
    emulator.store.put("customers", customer(9, NOW - 2 * DAY, name="this one, too"))
    assert replicate.ok("customers", mode="full")["customers"].rows == 9
    assert replicate.query("select name from customers where id = 9") == [("this one, too",)]


def test_windows_of_partitions_make_up_coverage(emulator: Emulator, replicate: Replica) -> None:
    put_customers(emulator, *(NOW - 10 * DAY + position * DAY for position in range(10)))
    start = from_epoch(NOW - 10 * DAY)
    past = Window.from_epochs(NOW - 20 * DAY, NOW - 5 * DAY)
    report = replicate.ok("customers", mode="window", window=past, start=start)["customers"]
    assert report.rows == 5
    assert report.coverage.windows == (Window(start, past.end),)  # clipped to the start date
    beyond = Window.from_epochs(NOW - 30 * DAY, NOW - 20 * DAY)
    assert (
        replicate.ok("customers", mode="window", window=beyond, start=start)["customers"].rows == 0
    )
    emulator.forget()
    assert replicate.ok("customers", start=start)["customers"].rows == 5
    assert asked(emulator) == [(NOW - 5 * DAY - 300, None)]
    assert len(replicate.ids("customers")) == 10


def test_window_of_the_running_period_covers_only_what_is_past(
    emulator: Emulator, replicate: Replica
) -> None:
    window = Window.from_epochs(NOW - DAY, NOW + DAY)
    report = replicate.ok("customers", mode="window", window=window)["customers"]
    assert report.coverage.until == from_epoch(NOW - 10)


def test_older_copy_of_the_warehouse_catches_up(
    emulator: Emulator, replicate: Replica, warehouse: Path
) -> None:
    put_customers(emulator, NOW - 500, NOW - 400)
    replicate.ok("customers")
    copy = warehouse.with_name("copy.duckdb")
    shutil.copy(warehouse, copy)
    now = emulator.clock.advance(DAY)
    put_customers(emulator, now - 5000, now - 4000, first=2)
    replicate.ok("customers")
    assert replicate.ids("customers") == [1, 2, 3]
    shutil.copy(copy, warehouse)  # dlt's working folder remembers more
    emulator.clock.advance(DAY)
    report = replicate.ok("customers")["customers"]
    assert report.coverage_before.until == from_epoch(NOW - 10)
    assert replicate.ids("customers") == [1, 2, 3]


def test_working_folder_makes_no_difference(emulator: Emulator, replicate: Replica) -> None:
    put_customers(emulator, NOW - 5000)
    replicate.ok("customers")
    folder = replicate.database.beside("dlt")
    stale = folder.with_name("stale")
    shutil.copytree(folder, stale)
    put_customers(emulator, emulator.clock.advance(DAY) - 5000, first=2)
    replicate.ok("customers")
    for replacement in (stale, None):
        shutil.rmtree(folder)
        if replacement:
            shutil.copytree(replacement, folder)
        emulator.forget()
        emulator.clock.advance(DAY)
        assert replicate.ok("customers")["customers"].rows == 0
        assert len(asked(emulator)) == 1
    assert replicate.ids("customers") == [1, 2]


@pytest.mark.slow
def test_deleted_warehouse_is_filled_again(
    emulator: Emulator, replicate: Replica, warehouse: Path
) -> None:
    put_customers(emulator, NOW - 5000)
    replicate.ok("customers")
    warehouse.unlink()
    replicate.ok("customers")
    assert replicate.ids("customers") == [1]


def test_failed_table_leaves_the_others_complete(emulator: Emulator, replicate: Replica) -> None:
    for path in ("/plans", "/subscriptions"):
        emulator.faults.next("rate5xx", count=1000, path=path)
    put_customers(emulator, NOW - 5000)
    reports = replicate()
    failed = {name for name, report in reports.items() if report.error}
    assert failed == {"plans", "subscriptions"}
    assert "answered 500" in (reports["plans"].error or "")
    for name in TABLE_NAMES:
        assert bool(reports[name].coverage.windows) == (name not in failed)
    assert replicate.ids("customers") == [1]
    assert "plans" not in replicate.existing()
    emulator.faults.clear()
    emulator.store.put("plans", {"id": "old", "updated_at": NOW - 300 * DAY})
    emulator.clock.advance(DAY)
    again = replicate.ok("plans", "subscriptions")
    assert again["plans"].coverage_before.windows == ()
    assert replicate.ids("plans") == ["old"]


def test_failed_table_keeps_its_rows_and_gains_no_coverage(
    emulator: Emulator, replicate: Replica
) -> None:
    put_customers(emulator, *(NOW - DAY + position for position in range(350)))
    emulator.faults.next("rate5xx", count=1000, skip=2, path="/customers")
    report = replicate("customers")["customers"]
    assert "500" in (report.error or "")
    assert not report.coverage.windows
    assert 100 <= len(replicate.ids("customers")) < 350
    emulator.faults.clear()
    replicate.ok("customers")
    assert replicate.ids("customers") == list(range(1, 351))


@pytest.mark.everywhere
def test_failed_load_moves_no_coverage_and_the_next_repeats_it(
    emulator: Emulator, replicate: Replica, sql_client: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_customers(emulator, NOW - 5000)
    emulator.store.put("invoices", invoice(1, NOW - 5000, items=items(3)))
    replicate.ok("customers", "invoices")
    now = emulator.clock.advance(DAY)
    put_customers(emulator, now - 50, now - 40)
    emulator.store.put("invoices", invoice(1, now - 50, items=items(1)))
    execute_many = sql_client.execute_many

    def fail(self: Any, statements: Any, *args: Any, **kwargs: Any) -> Any:
        if any("DELETE FROM" in text and "invoices" in text for text in statements):
            message = "IO Error: No space left on device"
            raise OSError(message)
        return execute_many(self, statements, *args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(sql_client, "execute_many", fail)
        with pytest.raises(WarehouseError, match="No space left"):
            replicate("customers", "invoices")
    assert len(replicate.rows("invoices__items")) == 3
    emulator.clock.advance(DAY)
    reports = replicate.ok("customers", "invoices")
    assert {report.coverage_before.until for report in reports.values()} == {from_epoch(NOW - 10)}
    assert replicate.ids("customers") == [1, 2]
    assert len(replicate.rows("invoices__items")) == 1


@pytest.mark.everywhere
def test_data_of_another_account_is_refused(emulator: Emulator, replicate: Replica) -> None:
    put_customers(emulator, NOW - 5000)
    replicate.ok("customers")
    put_customers(emulator, NOW - 4000, first=2)
    for other in ({"host": "api.invoiced.com"}, {"connection": "EU"}, {"cadence": "daily"}):
        (value,) = other.values()
        with pytest.raises(DatasetMismatchError, match=value):
            replicate("customers", "invoices", **other)
    assert replicate.ids("customers") == [1]
    assert "invoices" not in replicate.existing()
    replicate.ok("customers")


def test_account_without_an_answer_does_not_claim_the_dataset(
    emulator: Emulator, replicate: Replica
) -> None:
    # The first try went to the wrong host, and does not block the right one.
    replicate.api_key = "wrong" * 6
    assert replicate("customers", host="sandbox")["customers"].error
    assert "customers" not in replicate.existing()
    replicate.api_key = emulator.api_key
    put_customers(emulator, NOW - 5000)
    replicate.ok("customers", host="production")
    assert replicate.ids("customers") == [1]


@pytest.mark.slow
def test_two_datasets_in_one_file(emulator: Emulator, replicate: Replica) -> None:
    put_customers(emulator, NOW - 5000)
    replicate.ok("customers")
    replicate.dataset = "other"
    replicate.ok("customers", connection="other")
    assert replicate.ids("customers") == [1]
