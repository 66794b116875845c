"""Child tables follow their parents: longer, shorter, empty, and twice in one load."""

import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import table
from invoiced_pipeline.invoiced.reading.pages import Page, Stamp
from invoiced_pipeline.replication.decode import batches
from invoiced_pipeline.replication.decode.batches import Batcher
from invoiced_pipeline_tests.conftest import NOW, Replica, invoice, items
from invoiced_pipeline_tests.invoiced.handmade import HandmadeApi

LINES = "select invoice_id, _index, name from invoices__items order by 1, 2, 3"


def expected(*invoices: dict[str, Any]) -> list[tuple[int, int, str]]:
    return sorted(
        (record["id"], index, item["name"])
        for record in invoices
        for index, item in enumerate(record["items"])
    )


@pytest.mark.everywhere
def test_children_follow_when_elements_come_and_go(emulator: Emulator, replicate: Replica) -> None:
    counts = [{1: 60, 2: 0, 3: 5, 4: 2}, {1: 2, 2: 3, 3: 0, 4: 2}, {1: 0, 2: 61, 3: 1, 4: 2}]
    for step, wanted in enumerate(counts):
        now = emulator.clock.advance(1000)
        records = [
            invoice(number, now, items=items(count, f"step {step}"))
            for number, count in wanted.items()
            if number != 4 or not step  # untouched after the first load
        ]
        emulator.store.put_many("invoices", records)
        replicate.ok("invoices")
        assert replicate.query(LINES) == expected(*emulator.store.all("invoices"))


@pytest.mark.slow
def test_every_kind_of_child(emulator: Emulator, replicate: Replica) -> None:
    emulator.store.put(
        "payments", {"id": 1, "updated_at": NOW, "applied_to": [{"id": 5, "amount": 2}]}
    )
    emulator.store.put(
        "subscriptions", {"id": 2, "updated_at": NOW, "addons": [{"id": 6}, {"id": 7}]}
    )
    emulator.store.put("plans", {"id": "p", "updated_at": NOW, "tiers": [{"unit_cost": 1}]})
    replicate.ok("payments", "subscriptions", "plans")
    assert replicate.query("select payment_id, _index, id from payments__applied_to") == [(1, 0, 5)]
    assert replicate.query(
        "select subscription_id, _index, id from subscriptions__addons order by 1, 2, 3"
    ) == [
        (2, 0, 6),
        (2, 1, 7),
    ]
    assert replicate.query("select plan_id, _index from plans__tiers") == [("p", 0)]


VERSIONS = [(10, 3), (20, 1), (30, 0), (40, 4)]
"""Seconds after NOW, and the number of items, of four versions of one invoice."""


def arrow_children(orders: list[tuple[int, int]]) -> list[dict[str, Any]]:
    """Child rows after the merge of versions of one invoice in some order."""
    batcher = Batcher(table("invoices"))
    batches_seen = []
    for second, count in orders:
        record = {"id": 1, "updated_at": second, "items": items(count, f"v{second}")}
        page = Page(msgspec.json.encode([record]), [Stamp(1, second)], frozenset(), None, None)
        batches_seen += batcher.add(page)
    batches_seen += batcher.flush()
    return merged([batch for batch in batches_seen if batch.table_name == "invoices__items"])


def merged(seen: list[Any]) -> list[dict[str, Any]]:
    """The result of `delete-insert` with `dedup_sort` and `hard_delete` for some batches."""
    newest: dict[tuple[int, int], dict[str, Any]] = {}
    for batch in seen:
        for row in batch.rows.to_pylist():
            key = row["invoice_id"], row["_index"]
            known = newest.get(key)
            assert known is None or known["_parent_updated_at"] != row["_parent_updated_at"]
            if known is None or known["_parent_updated_at"] < row["_parent_updated_at"]:
                newest[key] = row
    return [row for _, row in sorted(newest.items()) if not row["_tombstone"]]


@settings(deadline=None, max_examples=60)
@given(
    st.permutations(VERSIONS).flatmap(lambda order: st.lists(st.sampled_from(order), max_size=6)),
    st.integers(1, 4),
)
def test_only_the_newest_version_has_children(
    orders: list[tuple[int, int]], batch_rows: int
) -> None:
    before = batches.TYPED_ROWS
    batches.TYPED_ROWS = batch_rows
    try:
        left = arrow_children(orders)
    finally:
        batches.TYPED_ROWS = before
    if orders:
        second, count = max(orders)
        assert [row["name"] for row in left] == [f"v{second} {index}" for index in range(count)]


@pytest.mark.parametrize("batch_rows", [1, 2000], ids=["across batches", "within one batch"])
@pytest.mark.parametrize(
    "order",
    [
        pytest.param([(10, 3), (20, 1)], marks=pytest.mark.slow),
        [(20, 1), (10, 3)],
        pytest.param([(10, 3), (30, 0)], marks=pytest.mark.slow),
        [(10, 2), (40, 4), (20, 0), (30, 3)],
    ],
    ids=str,
)
def test_one_id_twice_in_one_load(
    emulator: Emulator,
    replicate: Replica,
    monkeypatch: pytest.MonkeyPatch,
    order: list[tuple[int, int]],
    batch_rows: int,
) -> None:
    # Records without `updated_at` are read by page number, so that the test decides in which order
    # versions arrive.
    monkeypatch.setattr(batches, "TYPED_ROWS", batch_rows)
    emulator.store.put("invoices", invoice(1, NOW, items=items(7, "before")))
    emulator.store.put("invoices", invoice(2, NOW, items=items(2, "other")))
    replicate.ok("invoices")
    emulator.clock.advance(60)
    versions = itertools.cycle(order)
    pages: list[list[dict[str, Any]]] = []
    for _ in order:
        second, count = next(versions)
        filler = [{"id": 1000 + len(pages) * 100 + number} for number in range(99)]
        record = {"id": 1, "updated_at": NOW + second, "items": items(count, f"v{second}")}
        pages.append([*filler, record])
    load_by_number(replicate, pages)
    second, count = max(order)
    newest = {"id": 1, "items": items(count, f"v{second}")}
    other = {"id": 2, "items": items(2, "other")}
    assert replicate.query(LINES) == expected(newest, other)
    found = replicate.query("select extract(epoch from updated_at) from invoices where id = 1")
    assert found == [(NOW + second,)]


def load_by_number(replicate: Replica, pages: list[list[dict[str, Any]]]) -> None:
    def reply(path: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        number = int(query["page"]) - 1
        page = pages[number] if number < len(pages) else []
        if "sort" in query:  # the first page has no `updated_at`: the rest is read by page number
            page = [{"id": record["id"]} for record in pages[0]]
        return 200, {"Date": "Sun, 22 Nov 2026 12:00:00 GMT"}, msgspec.json.encode(page)

    with HandmadeApi(reply=reply) as api:
        replicate.url = api.url
        replicate.ok("invoices")
