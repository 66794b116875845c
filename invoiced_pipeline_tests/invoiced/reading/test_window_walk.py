"""The window walk: exactly the records of a window, each once, for all values of seconds."""

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import table
from invoiced_pipeline.exceptions import ContractError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.reading.pages import Page
from invoiced_pipeline.invoiced.reading.table_reader import LAG, TableReader
from invoiced_pipeline.windows import FOREVER, Window, from_epoch, to_epoch
from invoiced_pipeline_tests.conftest import NOW, START, customer, empty
from invoiced_pipeline_tests.examples import examples
from invoiced_pipeline_tests.invoiced.handmade import HandmadeApi

CUSTOMERS = table("customers")
BASE = 1_600_000_000
HTTP_EXAMPLES = settings(
    deadline=None,
    max_examples=examples(50, brief=12),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)


def wanted(page: Page) -> list[dict[str, Any]]:
    records = msgspec.json.decode(page.body)
    return [record for position, record in enumerate(records) if position not in page.skip]


def read(client: InvoicedClient, *windows: Window, name: str = "customers") -> list[dict[str, Any]]:
    """All records of some windows, in the order in which they arrived."""
    return walk(client, *windows, name=name)[0]


def walk(
    client: InvoicedClient, *windows: Window, name: str = "customers"
) -> tuple[list[dict[str, Any]], TableReader]:
    with ThreadPoolExecutor(4) as executor:
        reading = TableReader(client, table(name), windows, executor)
        reading.begin()
        records = [record for page in reading.pages() if page for record in wanted(page)]
    return records, reading


def put_customers(emulator: Emulator, seconds: list[int | None]) -> None:
    emulator.store.put_many(
        "customers", (customer(number, second) for number, second in enumerate(seconds, start=1))
    )


crowds = st.sampled_from([1, 1, 1, 2, 30, 99, 100, 101, 199, 200, 201, 250, 301])
offsets = st.integers(-3, 40)
seconds_lists = st.lists(st.tuples(offsets, crowds), max_size=6).flatmap(
    lambda clusters: st.permutations(
        [BASE + offset for offset, count in clusters for _ in range(count)]
    )
)


def assert_window_is_exact(
    emulator: Emulator, client: InvoicedClient, seconds: list[int | None], window: Window
) -> None:
    empty(emulator)
    put_customers(emulator, seconds)
    expected = {
        number
        for number, second in enumerate(seconds, start=1)
        if second is not None and to_epoch(window.start) <= second < to_epoch(window.end)
    }
    found = Counter(record["id"] for record in read(client, window))
    assert set(found) - {n for n, s in enumerate(seconds, start=1) if s is None} == expected
    assert not [record_id for record_id, count in found.items() if count > 1]


@HTTP_EXAMPLES
@given(seconds=seconds_lists, start=offsets, length=st.integers(0, 40))
@example(seconds=[BASE] * 251, start=0, length=1)
@example(seconds=[BASE] * 100 + [BASE + 1] * 100, start=0, length=2)
@example(seconds=[BASE + position // 50 for position in range(400)], start=0, length=9)
@example(seconds=[BASE + position for position in range(300)], start=0, length=300)
def test_closed_window_returns_exactly_its_records(
    emulator: Emulator, client: InvoicedClient, seconds: list[int], start: int, length: int
) -> None:
    window = Window.from_epochs(BASE + start, BASE + start + length)
    assert_window_is_exact(emulator, client, list(seconds), window)


@HTTP_EXAMPLES
@given(seconds=seconds_lists, start=offsets)
@example(seconds=[BASE] * 100, start=0)
@example(seconds=[BASE] * 99 + [BASE + 1] * 251 + [BASE + 2] * 50, start=0)
def test_open_window_returns_everything_since_its_start(
    emulator: Emulator, client: InvoicedClient, seconds: list[int], start: int
) -> None:
    window = Window(from_epoch(BASE + start), FOREVER)
    assert_window_is_exact(emulator, client, list(seconds), window)


odd_seconds = st.lists(
    st.tuples(
        st.sampled_from([None, -62_169_984_000, -1, 0, 1, 2, 3, BASE]),
        st.sampled_from([1, 2, 60, 100, 130]),
    ),
    max_size=5,
).flatmap(
    lambda clusters: st.permutations([second for second, count in clusters for _ in range(count)])
)


@HTTP_EXAMPLES
@given(seconds=odd_seconds, end=st.sampled_from([FOREVER, from_epoch(2), from_epoch(BASE)]))
@example(seconds=[None] * 150 + [0] * 150, end=FOREVER)
@example(seconds=[0] * 40 + [1] * 70 + [2] * 130, end=FOREVER)
@example(seconds=[-1] * 120 + [1] * 150, end=FOREVER)
@example(seconds=[None] * 50 + [1] * 60 + [2] * 60, end=FOREVER)
def test_beginning_of_time_with_odd_stamps(
    emulator: Emulator, client: InvoicedClient, seconds: list[int | None], end: datetime
) -> None:
    # The API ignores filters of zero and below, so it also returns older records, and records
    # without `updated_at`: these are wanted, but no walk can guarantee them.
    window = Window(datetime(1970, 1, 1, tzinfo=UTC), end)
    assert_window_is_exact(emulator, client, list(seconds), window)


@pytest.mark.parametrize("missing", [("X-Total-Count",), ("Link",), ("Date",), None])
def test_missing_headers_are_accepted(
    emulator: Emulator, client: InvoicedClient, missing: tuple[str, ...] | None
) -> None:
    seconds = [BASE + position // 7 for position in range(700)] + [BASE + 500] * 260
    put_customers(emulator, seconds)
    emulator.account.link_header = emulator.account.date_header = missing is not None
    without = missing or ("X-Total-Count",)
    with HandmadeApi(forward_to=emulator.url, without=without) as api:
        client.base_url = api.url
        found = read(client, Window(from_epoch(BASE), FOREVER))
    assert sorted(record["id"] for record in found) == list(range(1, 961))


def test_requests_stay_close_to_a_hundredth_of_the_rows(
    emulator: Emulator, client: InvoicedClient
) -> None:
    # Bulk imports leave empty months between full minutes: parts must adapt.
    seconds = [BASE + (position % 3) * 10_000_000 + position // 3 for position in range(6000)]
    put_customers(emulator, seconds)
    found = read(client, Window(START, FOREVER))
    assert len(found) == 6000
    assert len(emulator.requests) < 60 * 1.5 + 15


def test_window_without_records_costs_one_request(
    emulator: Emulator, client: InvoicedClient
) -> None:
    assert read(client, Window(START, FOREVER)) == []
    assert len(emulator.requests) == 1


def test_several_windows_are_read_in_one_go(emulator: Emulator, client: InvoicedClient) -> None:
    put_customers(emulator, [BASE + position for position in range(500)])
    windows = (
        Window.from_epochs(BASE, BASE + 120),
        Window.from_epochs(BASE + 130, BASE + 131),
        Window(from_epoch(BASE + 480), FOREVER),
    )
    found = sorted(record["id"] for record in read(client, *windows))
    assert found == [*range(1, 121), 131, *range(481, 501)]


class Editor:
    """Changes records between the requests of a walk, like users of the account."""

    def __init__(self, emulator: Emulator, every: int, changes: int) -> None:
        self._emulator = emulator
        self._every = every
        self._left = changes
        self._requests = 0
        self._lock = threading.Lock()
        self.changed: set[int] = set()

    def __call__(self, path: str, _: dict[str, Any]) -> None:
        with self._lock:
            self._requests += 1
            if self._requests % self._every or self._left <= 0:
                return
            self._left -= 1
            now = self._emulator.clock.advance(1)
            for number in range(10):
                record_id = (self._left * 37 + number * 11) % 2000 + 1
                self._emulator.store.put("customers", customer(record_id, now, name="changed"))
                self.changed.add(record_id)


@pytest.mark.parametrize("crowd", [1, 300])
def test_no_change_during_a_walk_is_lost(
    emulator: Emulator, client: InvoicedClient, crowd: int
) -> None:
    put_customers(emulator, [BASE + position // crowd * 100 for position in range(2000)])
    emulator.on_request = editor = Editor(emulator, every=2, changes=15)
    start = Window(START, FOREVER)
    first, reading = walk(client, start)
    (covered,) = reading.covered()
    emulator.on_request = None
    emulator.clock.advance(60)
    second = read(client, Window(covered.end, FOREVER))
    latest = {record["id"]: record["name"] for record in [*first, *second]}
    assert len(latest) == 2000
    assert {record_id for record_id, name in latest.items() if name == "changed"} == editor.changed


def test_coverage_ends_before_the_first_answer_of_all_windows(
    emulator: Emulator, client: InvoicedClient
) -> None:
    # A crowded second is read again by page number, later than the window's first page: a record
    # that moved in between is newer than the first response, so coverage must end before it.
    put_customers(emulator, [BASE] * 150 + [BASE + 5] * 20)
    emulator.on_request = lambda path, query: emulator.clock.advance(1000)
    _, reading = walk(
        client, Window(START, from_epoch(BASE + 1)), Window(from_epoch(BASE + 2), FOREVER)
    )
    last = reading.covered()[-1]
    assert last.end <= from_epoch(NOW + 2000) - LAG


@pytest.mark.parametrize("seconds", [[], [BASE], [BASE, NOW - 5]])
def test_coverage_without_a_servers_clock(
    emulator: Emulator, client: InvoicedClient, seconds: list[int]
) -> None:
    emulator.account.date_header = False
    put_customers(emulator, list(seconds))
    past = Window(START, from_epoch(BASE - 1000))
    _, reading = walk(client, past, Window(from_epoch(BASE - 500), FOREVER))
    covered = reading.covered()
    assert covered[0] == past  # long past on any clock
    open_ends = [window.end for window in covered[1:]]
    assert all(end <= from_epoch(seconds[-1]) for end in open_ends)
    assert bool(open_ends) == bool(seconds)


def test_coverage_of_a_wrong_local_clock(emulator: Emulator, client: InvoicedClient) -> None:
    put_customers(emulator, [BASE])
    _, reading = walk(client, Window(START, FOREVER))
    years_ahead = datetime(2090, 1, 1, tzinfo=UTC)
    assert reading.covered(now=years_ahead) == (Window(START, from_epoch(NOW) - LAG),)


def test_coverage_never_reaches_behind_the_windows_start(
    emulator: Emulator, client: InvoicedClient
) -> None:
    _, reading = walk(client, Window(from_epoch(NOW + 5000), FOREVER))
    assert reading.covered() == ()


@pytest.mark.parametrize("name", ["customers", "credit_balance_adjustments"])
def test_server_that_ignores_the_order_is_an_error(client: InvoicedClient, name: str) -> None:
    seconds = [BASE + position * 7919 % 1000 for position in range(250)]
    records = [customer(number, second) for number, second in enumerate(seconds)]
    with HandmadeApi(records=records, honours=("page",)) as api:
        client.base_url = api.url
        with pytest.raises(ContractError, match="order"):
            read(client, Window(from_epoch(BASE + 500), FOREVER), name=name)


@pytest.mark.parametrize("name", ["customers", "plans", "credit_balance_adjustments"])
def test_server_that_ignores_everything_is_an_error_and_no_endless_loop(
    client: InvoicedClient, name: str
) -> None:
    records = [customer(number, BASE) for number in range(250)]
    with HandmadeApi(records=records, honours=()) as api:
        client.base_url = api.url
        with pytest.raises(ContractError, match="page"):
            read(client, Window(from_epoch(BASE), FOREVER), name=name)


def test_server_with_smaller_pages(client: InvoicedClient) -> None:
    # `per_page` above a server's own maximum is clamped, not refused.
    records = [customer(number, BASE + number // 3) for number in range(250)]
    honours = ("page", "sort", "updated_after", "updated_before")
    with HandmadeApi(records=records, honours=honours, page_size=40) as api:
        client.base_url = api.url
        found = read(client, Window(from_epoch(BASE), FOREVER))
    assert sorted(record["id"] for record in found) == list(range(250))


@pytest.mark.parametrize("body", [b"[1, 2]", b"[[]]", b'["text"]', b"[{]", b'[{"id": {}}]'])
def test_answer_that_holds_no_records_is_an_error(client: InvoicedClient, body: bytes) -> None:
    with HandmadeApi(body=body) as api:
        client.base_url = api.url
        with pytest.raises(ContractError, match="/customers"):
            read(client, Window(START, FOREVER))


def test_seconds_round_down() -> None:
    assert to_epoch(from_epoch(BASE) + timedelta(milliseconds=999)) == BASE
