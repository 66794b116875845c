"""Lists read by `advanced_filter`: exactly the window's records, in any time zone."""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from invoiced_emulator.server import Emulator
from invoiced_pipeline.exceptions import UnavailableError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.reading import by_id, pages
from invoiced_pipeline.windows import FOREVER, Window, from_epoch
from invoiced_pipeline_tests.conftest import NOW, SHORT_RETRIES, START, empty
from invoiced_pipeline_tests.invoiced.handmade import HandmadeApi, Reply
from invoiced_pipeline_tests.invoiced.reading.test_window_walk import HTTP_EXAMPLES, read, walk

DAY = 86_400
FILTERS = ("advanced_filter", "sort")
ZONES = ("UTC", "Pacific/Kiritimati", "Etc/GMT+12", "America/New_York")


def task(record_id: int, updated_at: int | None) -> dict[str, Any]:
    return {"id": record_id, "name": f"Task {record_id}", "action": "phone"} | {
        "complete": False,
        "created_at": NOW - 400 * DAY,
        "updated_at": updated_at,
    }


def put(emulator: Emulator, count: int, *, apart: int = 1) -> None:
    """Tasks with one second each, the last of them now."""
    emulator.store.put_many(
        "tasks", (task(number, NOW - (count - number) * apart) for number in range(1, count + 1))
    )


def since(seconds: int) -> Window:
    return Window(from_epoch(NOW - seconds), FOREVER)


def ids(client: InvoicedClient, *windows: Window) -> list[Any]:
    return sorted(record["id"] for record in read(client, *windows, name="tasks"))


@pytest.mark.parametrize("zone", ZONES)
def test_a_window_is_exact_in_every_time_zone(
    emulator: Emulator, client: InvoicedClient, zone: str
) -> None:
    emulator.account.timezone = zone
    put(emulator, 400, apart=3600)
    assert ids(client, since(10 * 3600)) == list(range(390, 401))
    assert len(emulator.requests) == 1
    past = Window.from_epochs(NOW - 200 * 3600, NOW - 100 * 3600)
    assert ids(client, past) == list(range(200, 300))
    everything = Window(START, FOREVER)
    assert ids(client, past, everything) == sorted([*range(1, 401), *range(200, 300)])


def test_a_few_changes_of_a_busy_day_are_one_request(
    emulator: Emulator, client: InvoicedClient
) -> None:
    put(emulator, 3000)
    assert ids(client, since(50)) == list(range(2950, 3001))
    assert len(emulator.requests) == 1


def test_many_records_are_read_in_parts(emulator: Emulator, client: InvoicedClient) -> None:
    put(emulator, 5000)
    found = ids(client, Window(START, FOREVER))
    assert found == list(range(1, 5001))
    assert len(emulator.requests) <= 50 * 1.1


def test_a_second_with_more_than_a_page(emulator: Emulator, client: InvoicedClient) -> None:
    emulator.store.put_many("tasks", (task(number, NOW - 100) for number in range(1, 751)))
    assert ids(client, Window.from_epochs(NOW - 100, NOW - 99)) == list(range(1, 751))
    assert ids(client, since(100)) == list(range(1, 751))
    assert ids(client, since(99)) == []


@given(
    st.lists(st.tuples(st.integers(0, 9), st.sampled_from(["change", "delete", "add"]))),
    st.integers(1, 12),
)
@settings(HTTP_EXAMPLES, max_examples=25)
def test_changes_while_it_is_read_hide_no_other_record(
    emulator: Emulator,
    client: InvoicedClient,
    actions: list[tuple[int, str]],
    first: int,
) -> None:
    empty(emulator)
    put(emulator, 10)
    emulator.clock.set(NOW + 1000)
    left, waiting = set(range(1, 11)), iter(actions)

    def meanwhile(_: str, __: dict[str, Any]) -> None:
        if len(emulator.requests) + 1 < first:
            return
        number, action = next(waiting, (0, ""))
        if action == "add":
            emulator.store.put("tasks", task(100 + len(emulator.requests), NOW + 1000))
        elif action == "change" and number + 1 in left:
            left.discard(number + 1)
            emulator.store.put("tasks", task(number + 1, NOW + 1000))
        elif action == "delete" and number + 1 in left:
            left.discard(number + 1)
            emulator.store.remove("tasks", number + 1)

    emulator.on_request = meanwhile
    with (
        mock.patch.object(pages, "PER_PAGE", 3),
        mock.patch.object(by_id, "PER_PAGE", 3),
        mock.patch.object(by_id, "PAGES_PER_PART", 1),
    ):
        found = ids(client, since(1000))
    emulator.on_request = None
    assert left <= set(found)
    assert max(Counter(found).values(), default=0) <= 2


class Server(HandmadeApi):
    """Another server with an emulator's records, which treats some parameters in its own way."""

    def __init__(self, emulator: Emulator, treat: Callable[[dict[str, str]], Reply | None]) -> None:
        super().__init__(forward_to=emulator.url)
        self._treat = treat

    def answer(self, target: str, headers: dict[str, str]) -> Reply:
        from urllib.parse import parse_qsl, urlencode, urlsplit

        path, query = urlsplit(target).path, dict(parse_qsl(urlsplit(target).query))
        reply = self._treat(query)
        return reply or super().answer(f"{path}?{urlencode(query)}", headers)


def refusing(word: str) -> Callable[[dict[str, str]], Reply | None]:
    """Refuses filters that contain a word."""

    def treat(query: dict[str, str]) -> Reply | None:
        if word not in query.get("advanced_filter", ""):
            return None
        text = b'{"type": "invalid_request", "message": "Invalid field used in advanced filter"}'
        return 400, {}, text

    return treat


def ignoring(*names: str) -> Callable[[dict[str, str]], Reply | None]:
    def treat(query: dict[str, str]) -> None:
        for name in names:
            query.pop(name, None)

    return treat


@pytest.mark.parametrize(
    "treat",
    [
        refusing('"id"'),
        refusing("updated_at"),
        ignoring("advanced_filter"),
        ignoring("sort"),
        ignoring("sort", "advanced_filter"),
    ],
    ids=["refuses ids", "refuses", "ignores filters", "ignores sort", "ignores both"],
)
def test_other_servers(emulator: Emulator, treat: Callable[[dict[str, str]], Reply | None]) -> None:
    put(emulator, 450, apart=3600)
    past = Window.from_epochs(NOW - 400 * 3600, NOW - 150 * 3600)
    with Server(emulator, treat) as api:
        client = InvoicedClient(api.url, SecretStr(emulator.api_key), retry_policy=SHORT_RETRIES)
        assert ids(client, since(250 * 3600)) == list(range(200, 451))
        assert ids(client, past, since(3600)) == [*range(50, 300), 449, 450]


def test_a_refused_filter_is_said_once(
    emulator: Emulator, caplog: pytest.LogCaptureFixture
) -> None:
    put(emulator, 450, apart=3600)
    windows = (Window.from_epochs(NOW - 400 * 3600, NOW - 300 * 3600), since(3600))
    with Server(emulator, refusing("updated_at")) as api, caplog.at_level(logging.WARNING):
        client = InvoicedClient(api.url, SecretStr(emulator.api_key), retry_policy=SHORT_RETRIES)
        ids(client, *windows)
    (record,) = caplog.records
    assert record.getMessage().startswith("tasks: all records are read in every sync: GET /tasks")


def test_what_the_account_lacks_is_not_read_whole(
    emulator: Emulator, client: InvoicedClient
) -> None:
    emulator.account.forbidden.add("tasks")
    with pytest.raises(UnavailableError):
        ids(client, since(1))
    assert len(emulator.requests) == 1


def test_coverage_ends_before_the_first_response(
    emulator: Emulator, client: InvoicedClient
) -> None:
    put(emulator, 250)

    def pass_time(_: str, __: dict[str, Any]) -> None:
        emulator.clock.advance(60)

    emulator.on_request = pass_time
    _, reading = walk(client, since(1000), name="tasks")
    (covered,) = reading.covered()
    assert covered == Window(from_epoch(NOW - 1000), from_epoch(NOW + 60) - timedelta(seconds=10))
