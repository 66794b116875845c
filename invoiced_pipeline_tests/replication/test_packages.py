"""A first load in packages: each commits, and a run that died is not begun again."""

import gc
import itertools
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any
from unittest import mock

import pytest
from dlt import Pipeline
from pydantic import SecretStr

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import table
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.reading.pages import Page
from invoiced_pipeline.invoiced.reading.window_walk import WindowWalk
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.decode.batches import Batcher
from invoiced_pipeline.replication.partial_read import PartialRead
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.replication.source import SOURCE_NAME
from invoiced_pipeline.replication.sync_log import LoadOutcome, sync_log_entries
from invoiced_pipeline.warehouse.dlt_load import remembered_state
from invoiced_pipeline.windows import FOREVER, Coverage, Window, from_epoch
from invoiced_pipeline_tests.change.simulated_account import (
    AHEAD,
    dying,
    small_packages,
    small_pages,
)
from invoiced_pipeline_tests.conftest import NOW, START, Replica, customer, invoice, items
from invoiced_pipeline_tests.replication.test_coverage import asked

DAY = 86_400
OLD = NOW - 300 * DAY
INVOICES = 60


@pytest.fixture(autouse=True)
def _small() -> Iterator[None]:
    with small_packages(12), small_pages():
        yield


@pytest.fixture
def account(emulator: Emulator) -> Emulator:
    """An invoice a day, with line items."""
    emulator.store.put_many(
        "invoices", [invoice(n, OLD + n * DAY, items=items(2)) for n in range(1, INVOICES + 1)]
    )
    return emulator


def partial_read(replicate: Replica, table: str = "invoices") -> PartialRead | None:
    """How far a first read of a table got, as the warehouse has it."""
    database = replicate.database
    state = remembered_state(database.pipeline(replicate.dataset), database, SOURCE_NAME)
    return DatasetState(state).partial_read(table)


def die(replicate: Replica, *tables: str, **options: Any) -> PartialRead:
    """A first load that dies when its second package is read; returns how far it got."""
    with dying(1):
        replicate(*tables, **options)
    read = partial_read(replicate)
    assert read is not None
    return read


def packages(replicate: Replica) -> int:
    return replicate.query("select count(*) from _dlt_loads")[0][0]


def overlaps(read: PartialRead, requested: list[tuple[int, int | None]]) -> list[Window]:
    """The requested windows that had been read already."""
    windows = [Window.from_epochs(start, end or 2**33) for start, end in requested]
    every = [one.intersect(other) for one in windows for other in read.coverage.windows]
    return [window for window in every if not window.is_empty]


@pytest.mark.everywhere
def test_a_load_that_died_goes_on_where_it_was(account: Emulator, replicate: Replica) -> None:
    account.store.put("invoices", invoice(999, OLD + DAY, paid=7))
    read = die(replicate, "invoices")
    committed = set(replicate.ids("invoices"))
    covered = {
        n
        for n in range(1, INVOICES + 1)
        if any(from_epoch(OLD + n * DAY) in window for window in read.coverage.windows)
    }
    assert 6 < len(covered) <= len(committed) < INVOICES
    assert covered <= committed
    assert replicate.query("select id, run_id from _rejected") == [("999", "run")]
    account.forget()

    account.clock.advance(3600)
    report = replicate.ok("invoices")["invoices"]
    by_window = [each for each in account.requests if "updated_after" in each[2]]
    by_id = [each[2]["filter"]["id"] for each in account.requests if "filter" in each[2]]
    assert by_id == ["999"]
    account.forget()
    requested = [
        (int(query["updated_after"]) + 1, int(query.get("updated_before", 0)) or None)
        for _, _, query, _ in by_window
    ]
    assert requested
    assert overlaps(read, requested) == []
    assert replicate.ids("invoices") == list(range(1, INVOICES + 1))
    assert replicate.query("select count(*) from invoices__items") == [(2 * INVOICES,)]
    assert replicate.query("select id from _rejected") == [("999",)]
    assert report.rows == INVOICES - len(covered)
    assert report.coverage == Coverage((Window(START, report.coverage.windows[-1].end),))
    assert report.covered == report.coverage.windows
    assert partial_read(replicate) is None


def test_a_small_load_is_one_package(account: Emulator, replicate: Replica) -> None:
    with small_packages(INVOICES + 1):
        replicate.ok("invoices")
    assert packages(replicate) == 1
    # Neither do later syncs, full refreshes and chosen partitions end before all is read.
    replicate.ok("invoices", mode="full")
    replicate.ok("invoices", mode="window", window=Window(START, from_epoch(NOW)))
    assert packages(replicate) == 3


def test_memory_does_not_grow_with_the_table(account: Emulator, replicate: Replica) -> None:
    held: list[tuple[int, int]] = []
    load = Pipeline.load
    gc.collect()

    def counting(pipeline: Pipeline, *arguments: Any, **options: Any) -> Any:
        pages = sum(isinstance(each, Page) for each in gc.get_objects())
        batchers = (each for each in gc.get_objects() if isinstance(each, Batcher))
        held.append((pages, sum(len(each._versions) for each in batchers)))
        return load(pipeline, *arguments, **options)

    account.store.put_many("customers", [customer(n, OLD + n) for n in range(1, INVOICES)])
    with mock.patch.object(Pipeline, "load", counting):
        reports = replicate.ok("invoices", "customers")
    assert len(held) > 3
    assert sum(report.pages for report in reports.values()) > 40
    assert max(pages for pages, _ in held) <= 2 * (AHEAD + 1)
    # Only the versions of the present package's records are known.
    assert {versions for _, versions in held} == {0}


@pytest.mark.slow
def test_an_earlier_start_date_after_a_death(account: Emulator, replicate: Replica) -> None:
    start = from_epoch(OLD + 10 * DAY)
    read = die(replicate, "invoices", start=start)
    account.forget()
    replicate.ok("invoices", start=START)
    requested = asked(account, "/invoices")
    assert requested[0][0] == int(START.timestamp())
    assert overlaps(read, requested) == []
    assert replicate.ids("invoices") == list(range(1, INVOICES + 1))


@pytest.mark.slow
def test_a_full_refresh_after_a_death_reads_everything(
    account: Emulator, replicate: Replica
) -> None:
    die(replicate, "invoices")
    report = replicate.ok("invoices", mode="full")["invoices"]
    assert report.rows == INVOICES
    assert partial_read(replicate) is None


@pytest.mark.slow
def test_a_chosen_partition_after_a_death(account: Emulator, replicate: Replica) -> None:
    read = die(replicate, "invoices")
    month = Window.from_epochs(OLD + 20 * DAY, OLD + 30 * DAY)
    report = replicate.ok("invoices", mode="window", window=month)["invoices"]
    assert report.rows == 10
    assert partial_read(replicate) == read
    account.forget()
    replicate.ok("invoices")
    assert overlaps(read, [each for each in asked(account, "/invoices") if each[1]]) == []
    assert replicate.ids("invoices") == list(range(1, INVOICES + 1))


def test_an_outage_is_resumed_like_a_death(account: Emulator, replicate: Replica) -> None:
    account.faults.next("rate5xx", 1000, skip=15, path="/invoices")
    report = replicate("invoices")["invoices"]
    assert report.error is not None
    read = partial_read(replicate)
    assert read is not None
    assert read.coverage.windows
    account.faults.clear()
    account.forget()
    replicate.ok("invoices")
    assert overlaps(read, asked(account, "/invoices")) == []
    assert replicate.ids("invoices") == list(range(1, INVOICES + 1))


@pytest.mark.slow
def test_rejects_that_are_read_with_their_window_are_not_resumed(
    account: Emulator, replicate: Replica
) -> None:
    account.store.put("invoices", invoice(998, OLD + DAY, paid=7))
    with mock.patch("invoiced_pipeline.replication.reject_limit.MOST_BY_ID", 0), dying(1):
        replicate("invoices")
    assert partial_read(replicate) is None
    assert packages(replicate) == 1
    replicate.ok("invoices")
    assert replicate.ids("invoices") == list(range(1, INVOICES + 1))


@pytest.mark.slow
def test_columns_that_were_left_out_before_a_death_stay_known(
    account: Emulator, replicate: Replica
) -> None:
    replicate.tables = {"invoices": {"exclude": ["notes"]}}
    die(replicate, "invoices")
    replicate.tables = {}
    assert "notes" in replicate.ok("invoices")["invoices"].gaps


@contextmanager
def before_load(number: int, then: Any) -> Iterator[None]:
    """Has something happen when a package is read, and not loaded yet."""
    load, count = Pipeline.load, 0

    def loading(pipeline: Pipeline, *arguments: Any, **options: Any) -> Any:
        nonlocal count
        count += 1
        if count == number:
            then()
        return load(pipeline, *arguments, **options)

    with mock.patch.object(Pipeline, "load", loading):
        yield


def test_a_record_changes_while_packages_are_loaded(account: Emulator, replicate: Replica) -> None:
    first, last = 1, INVOICES

    def change() -> None:
        now = account.clock.advance(60)
        account.store.put("invoices", invoice(first, now, items=[], total=5))
        account.store.put("invoices", invoice(last, now, items=items(1, "new"), total=5))

    replicate.tables = {"invoices": {"history": True}}
    with before_load(1, change):
        replicate.ok("invoices")
    replicate.ok("invoices")  # if the newest records were read before the change
    sql = "select id, total from invoices where total = 5 order by 1"
    assert [record for record, _ in replicate.query(sql)] == [first, last]
    counted = "select count(*) from invoices__items where invoice_id = {}"
    assert replicate.query(counted.format(first)) == [(0,)]
    assert replicate.query(counted.format(last)) == [(1,)]
    kept = "select count(*) from invoices__versions where id = {}"
    assert replicate.query(kept.format(first)) == [(2,)]


def test_a_page_that_arrives_late_belongs_to_the_package_before(
    account: Emulator, replicate: Replica
) -> None:
    """A newer version of its records may be in that package."""
    arrived, asked_for = threading.Event(), threading.Event()
    list_page = InvoicedClient.list_page

    def late(client: InvoicedClient, path: str, params: Any, *arguments: Any) -> Any:
        answer = list_page(client, path, params, *arguments)
        if ("updated_before", str(OLD + 10 * DAY)) in params:
            asked_for.set()
            arrived.wait(60)
        return answer

    client = InvoicedClient(account.url, SecretStr(account.api_key))
    windows = (
        Window(START, from_epoch(OLD + 10 * DAY)),
        Window(from_epoch(OLD + 10 * DAY), from_epoch(OLD + 14 * DAY)),
        Window(from_epoch(OLD + 14 * DAY), FOREVER),
    )
    with mock.patch.object(InvoicedClient, "list_page", late), ThreadPoolExecutor(4) as executor:
        walk = WindowWalk(client, table("invoices"), windows, executor, Tally())
        walk.begin()
        pages = walk.pages()
        assert asked_for.wait(60)
        assert not walk.pause()
        others = []
        # A page leaves `_running` for `_ready`, so `_running` must be looked at first.
        while len(walk._running) > 1 or walk._ready:
            others += filter(None, [next(pages)])
        assert others
        assert not walk.pause()
        assert windows[0] in walk.unread()
        arrived.set()
        (page,) = itertools.islice(filter(None, pages), 1)
        assert page.stamps[0].id == 1
        assert next(pages) is None
        assert walk.pause()
        assert windows[0] not in walk.unread()
        walk.resume()
        rest = [page for page in pages if page is not None]
    read = [stamp.id for each in (*others, page, *rest) for stamp in each.stamps]
    assert set(read) == set(range(1, INVOICES + 1))


def test_a_load_that_fails_counts_what_is_committed() -> None:
    request = ReplicationRequest(
        tables=(), mode="sync", start_date=START, connection="Invoiced", host="localhost"
    )
    covered = Coverage((Window(START, from_epoch(NOW)),))
    reports = {
        "plans": TableReport(
            "plans", "sync", rows=3, committed_rows=3, is_committed=True, coverage=covered
        ),
        "invoices": TableReport("invoices", "sync", rows=90, committed_rows=60),
        "notes": TableReport("notes", "sync", rows=5),
    }
    now = datetime.now(UTC)
    outcome = LoadOutcome(
        ended_at=now,
        rows_after={"plans": 3, "invoices": 60},
        error="The disk is full",
    )
    plans, invoices, notes = sync_log_entries(request, reports, outcome)
    assert (plans.status, plans.rows, plans.new_rows) == ("succeeded", 3, 3)
    assert (invoices.status, invoices.rows, invoices.new_rows) == ("failed", 60, 60)
    assert (notes.status, notes.rows, notes.new_rows) == ("failed", 0, 0)
    assert plans.coverage_after == str(covered)
    assert invoices.coverage_after == "nothing"
