"""Tables whose lists ignore the filters by `updated_at`: read whole, or newest first."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import table
from invoiced_pipeline.exceptions import TransientApiError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.windows import FOREVER, Window, from_epoch
from invoiced_pipeline_tests.conftest import NOW, START
from invoiced_pipeline_tests.invoiced.reading.test_window_walk import read, walk

ADJUSTMENTS = "credit_balance_adjustments"
BASE = 1_600_000_000


def adjustment(record_id: int, updated_at: int | None) -> dict[str, Any]:
    record = {"id": record_id, "object": "credit_balance_adjustment", "customer": 1}
    return record | {"amount": 5, "currency": "usd", "updated_at": updated_at}


def put_adjustments(emulator: Emulator, count: int) -> None:
    emulator.store.put_many(
        ADJUSTMENTS, (adjustment(number, BASE + number) for number in range(1, count + 1))
    )


def at_request(emulator: Emulator, number: int, action: Callable[[], None]) -> None:
    """Does something before the given request is answered, counted from 1."""
    count = 0

    def hook(path: str, query: dict[str, Any]) -> None:
        nonlocal count
        count += 1
        if count == number:
            action()

    emulator.on_request = hook


def test_newest_first_reads_no_further_than_the_window(
    emulator: Emulator, client: InvoicedClient
) -> None:
    put_adjustments(emulator, 1000)
    found = read(client, Window(from_epoch(BASE + 951), FOREVER), name=ADJUSTMENTS)
    assert sorted(record["id"] for record in found) == list(range(951, 1001))
    assert len(emulator.requests) == 1


def test_newest_first_leaves_out_what_lies_between_two_windows(
    emulator: Emulator, client: InvoicedClient
) -> None:
    put_adjustments(emulator, 500)
    windows = (
        Window.from_epochs(BASE + 101, BASE + 201),
        Window(from_epoch(BASE + 450), FOREVER),
    )
    found = sorted(record["id"] for record in read(client, *windows, name=ADJUSTMENTS))
    assert found == [*range(101, 201), *range(450, 501)]


def test_adjustment_without_updated_at_is_not_left_out(
    emulator: Emulator, client: InvoicedClient
) -> None:
    emulator.store.put_many(ADJUSTMENTS, [adjustment(1, None), adjustment(2, NOW)])
    found = read(client, Window(START, FOREVER), name=ADJUSTMENTS)
    assert sorted(record["id"] for record in found) == [1, 2]


@pytest.mark.parametrize("start", [BASE, BASE + 150], ids=["whole", "stopped early"])
@pytest.mark.parametrize("removed", [1, 30])
def test_deletion_between_pages_loses_nothing(
    emulator: Emulator, client: InvoicedClient, start: int, removed: int
) -> None:
    # A record that disappears moves all later ones one place forward, across page boundaries.
    put_adjustments(emulator, 400)

    def delete() -> None:
        for number in range(removed):
            emulator.store.remove(ADJUSTMENTS, 400 - number)

    at_request(emulator, 2, delete)
    found = Counter(
        record["id"]
        for record in read(client, Window(from_epoch(start), FOREVER), name=ADJUSTMENTS)
    )
    first = max(1, start - BASE)
    assert set(range(first, 401 - removed)) <= set(found)
    assert set(found.values()) == {1}


def test_deletion_hidden_by_an_insertion_loses_nothing(
    emulator: Emulator, client: InvoicedClient
) -> None:
    # The total is the same at the end, but one record was never served.
    put_adjustments(emulator, 400)
    requests = 0

    def hook(path: str, query: dict[str, Any]) -> None:
        nonlocal requests
        requests += 1
        if requests == 2:
            emulator.store.remove(ADJUSTMENTS, 400)
        if requests == 3:
            emulator.store.put(ADJUSTMENTS, adjustment(1000, NOW))

    emulator.on_request = hook
    found = {
        record["id"]
        for record in read(client, Window(from_epoch(BASE + 150), FOREVER), name=ADJUSTMENTS)
    }
    assert set(range(150, 400)) <= found


def test_list_that_never_stops_shrinking_is_an_error(
    emulator: Emulator, client: InvoicedClient
) -> None:
    put_adjustments(emulator, 1500)
    left = iter(range(1500, 0, -1))
    emulator.on_request = lambda path, query: emulator.store.remove(ADJUSTMENTS, next(left))
    with pytest.raises(TransientApiError, match="disappearing"):
        read(client, Window(START, FOREVER), name=ADJUSTMENTS)


def test_change_between_pages_is_found_now_or_by_the_next_sync(
    emulator: Emulator, client: InvoicedClient
) -> None:
    put_adjustments(emulator, 400)
    at_request(
        emulator, 2, lambda: emulator.store.put(ADJUSTMENTS, adjustment(7, emulator.clock.now()))
    )
    first, reading = walk(client, Window(START, FOREVER), name=ADJUSTMENTS)
    (covered,) = reading.covered()
    second = read(client, Window(covered.end, FOREVER), name=ADJUSTMENTS)
    versions = {(record["id"], record["updated_at"]) for record in [*first, *second]}
    assert (7, NOW) in versions
    assert {record_id for record_id, _ in versions} == set(range(1, 401))


def plan(plan_id: str, internal_id: int, *, archived: bool = False) -> dict[str, Any]:
    record = {"id": plan_id, "object": "plan", "internal_id": internal_id, "archived": archived}
    return record | {"name": f"version {internal_id}", "updated_at": BASE + internal_id}


def test_plans_are_read_whole_in_both_states(emulator: Emulator, client: InvoicedClient) -> None:
    emulator.store.put_many(
        "plans",
        [plan(f"plan-{number}", number, archived=number % 2 == 0) for number in range(1, 501)],
    )
    found = read(client, Window(datetime(2023, 1, 1, tzinfo=UTC), FOREVER), name="plans")
    assert len(found) == len({record["internal_id"] for record in found}) == 500
    asked = [query["archived"] for _, path, query, _ in emulator.requests if path == "/plans"]
    assert asked == ["0"] * 3 + ["1"] * 3


def test_deletion_of_plans_between_pages_loses_nothing(
    emulator: Emulator, client: InvoicedClient
) -> None:
    emulator.store.put_many("plans", [plan(f"plan-{number}", number) for number in range(1, 401)])
    at_request(emulator, 2, lambda: emulator.store.remove("plans", "plan-50"))
    found = {record["internal_id"] for record in read(client, Window(START, FOREVER), name="plans")}
    assert set(range(1, 401)) - {50} <= found


def test_more_than_ten_thousand_in_one_second(emulator: Emulator, client: InvoicedClient) -> None:
    # Beyond 10,000 rows, a page in the default order needs its predecessor.
    emulator.store.put_many(
        "customers", ({"id": number, "updated_at": BASE} for number in range(1, 10_301))
    )
    found = read(client, Window.from_epochs(BASE, BASE + 1))
    assert len(found) == len({record["id"] for record in found}) == 10_300


def test_variants_are_what_the_catalog_says() -> None:
    assert [dict(variant)["archived"] for variant in table("plans").variants] == ["0", "1"]
