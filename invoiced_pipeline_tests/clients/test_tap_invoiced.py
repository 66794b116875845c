"""singer's tap-invoiced and our pipeline read the same account: they must agree on its rows."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from itertools import count, islice
from pathlib import Path
from typing import Any

import pytest

from invoiced_emulator.seed import generate
from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLES, table
from invoiced_pipeline_tests.clients import rules
from invoiced_pipeline_tests.clients.tap import Record, Tap
from invoiced_pipeline_tests.conftest import NOW, Replica, customer, empty, invoice

STREAMS = ("credit_notes", "customers", "estimates", "invoices", "plans", "subscriptions")
START = datetime(1960, 1, 1, tzinfo=UTC)

HIDDEN: dict[str, Callable[[Record], bool]] = {
    "subscriptions": lambda row: row["status"] in {"canceled", "finished"},
    "plans": lambda row: row["archived"],
}
"""Our rows that the lists show only when asked, which the tap does not do."""

TIERS = [{"min_qty": 1, "max_qty": 10, "unit_cost": 5}, {"min_qty": 11, "unit_cost": 4}]


@pytest.fixture
def tap(emulator: Emulator, tmp_path: Path) -> Tap:
    return Tap(tmp_path, emulator.url, emulator.api_key, START.isoformat())


def plan(plan_id: str, internal_id: int, **fields: Any) -> Record:
    record = {"id": plan_id, "object": "plan", "internal_id": internal_id, "archived": False}
    record |= {"name": "Plan", "amount": 9, "pricing_mode": "per_unit", "interval": "month"}
    return record | {"tiers": None, "created_at": NOW - 9, "updated_at": NOW - 9} | fields


def subscription(record_id: int, **fields: Any) -> Record:
    record = {"id": record_id, "object": "subscription", "customer": 1, "plan": "007"}
    record |= {"status": "active", "canceled": False, "finished": False, "quantity": 1}
    return record | {"created_at": NOW - 9, "updated_at": NOW - 9} | fields


def awkward() -> Iterator[tuple[str, Record]]:
    """Values that are awkward to carry, of which the rules must explain every one."""
    known = {"created_at": NOW - 9}
    amounts = ("0", "0.1", "107.305", "1234567890.12", "0.0000000001", "1000000000000000")
    amounts += ("-0.07", "90071992547409.93", "1000000000000000.01")
    numbers = count(1)
    for amount in map(Decimal, amounts):
        money = {"subtotal": amount, "total": amount, "balance": amount}
        line = {"id": 1, "object": "line_item", "name": "line", "unit_cost": amount}
        document = money | known | {"items": [line | {"metadata": {"a.b": "1", "": "2"}}]}
        yield "invoices", invoice(next(numbers), **document)
        note = document | {"id": next(numbers), "object": "credit_note", "updated_at": NOW - 9}
        yield "credit_notes", note
        yield "customers", customer(next(numbers), credit_limit=amount, **known)
        yield "subscriptions", subscription(next(numbers), amount=amount, quantity=amount)
        yield "plans", plan(f"{next(numbers):04}", next(numbers), amount=amount)
    texts = ("", " ", "é\u2028😀\n\t\\\"'", "null", "007", "x" * 200_000)
    for text in texts:
        odd = {"name": text, "notes": text, "number": text, "metadata": {text[:9]: text}}
        yield "customers", customer(next(numbers), **(known | odd))
    for stamp in (-62_135_596_800 + 86_400, -1, 0, 1, 253_402_300_799):
        dates = {"date": stamp, "due_date": stamp, "expiration_date": stamp, "created_at": stamp}
        yield "invoices", invoice(next(numbers), **dates)
        yield "estimates", dates | {"id": next(numbers), "updated_at": NOW - 9}
        yield "plans", plan(f"p{next(numbers)}", next(numbers), created_at=stamp)
    yield "customers", customer(next(numbers), updated_at=-5, created_at=-6)
    for approved in (None, "AB", ""):
        yield "estimates", {"id": next(numbers), "updated_at": NOW, "approved": approved} | known
    many = [{"id": at, "name": f"line {at}", "amount": at / 8} for at in range(60)]
    yield "invoices", invoice(next(numbers), items=many, ship_to={"name": None}, **known)
    yield "subscriptions", subscription(next(numbers), status="canceled", canceled=True)
    yield "subscriptions", subscription(next(numbers), status="finished", finished=True)
    yield "plans", plan("once", next(numbers), archived=True)
    yield "plans", plan("twice", next(numbers), archived=True, name="First")
    yield "plans", plan("twice", next(numbers), name="Second", metadata={"tier": "no"})


def compare(tap: Tap, stream: str, theirs: list[Record], ours: list[Record]) -> tuple[Any, ...]:
    """Values that no rule explains, and how many differences each rule does explain."""
    unexplained: list[tuple[Any, ...]] = []
    explained: Counter[str] = Counter()
    written = {record["id"]: record for record in theirs}
    catalog = {column.name: column for column in table(stream).columns}
    for row in ours:
        record = written[row["id"]]
        for name, schema in tap.schema(stream).items():
            # A field that the API does not send is missing there and null here.
            rule = rules.rule_of(catalog[name], schema) if name in record else rules.same
            value = rules.in_singers_notation(catalog[name], row[name])
            expected = rules.comparable(rule(value))
            if rules.comparable(record.get(name)) != expected:
                unexplained.append((stream, row["id"], name, record.get(name), row[name]))
            elif expected != rules.comparable(value):
                explained[rule.__name__] += 1
    return unexplained, explained


def put(emulator: Emulator, account: Iterator[tuple[str, Record]]) -> None:
    with emulator.store.transaction():
        for collection, record in account:
            if collection in STREAMS:
                emulator.store.put(collection, record)


def agree(tap: Tap, replicate: Replica) -> Counter[str]:
    """Has both read everything, and returns how many differences each rule explains."""
    output = tap.run()
    assert output.exit_code == 0, output.log[-2000:]
    replicate.ok(*STREAMS, start=START)
    explained: Counter[str] = Counter()
    for stream in STREAMS:
        hidden = HIDDEN.get(stream, lambda _: False)
        rows = replicate.rows(stream, order="id")
        shown = [row for row in rows if not hidden(row)]
        assert shown
        assert (len(rows) > len(shown)) == (stream in HIDDEN)
        theirs = output.records[stream]
        assert sorted(record["id"] for record in theirs) == [row["id"] for row in shown]
        unexplained, counts = compare(tap, stream, theirs, shown)
        assert unexplained == []
        explained += counts
    return explained


def test_every_column_of_the_tap_is_ours_and_has_a_rule(tap: Tap) -> None:
    assert sorted(entry["stream"] for entry in tap.catalog["streams"]) == list(STREAMS)
    assert {*STREAMS} < {each.name for each in TABLES}
    for stream in STREAMS:
        catalog = {column.name: column for column in table(stream).columns}
        schema = tap.schema(stream)
        assert schema.keys() <= catalog.keys()
        assert all(rules.rule_of(catalog[name], schema[name]) for name in schema)


@pytest.mark.parametrize("customers", [15, pytest.param(150, marks=pytest.mark.slow)])
def test_both_read_the_same_account(
    emulator: Emulator, tap: Tap, replicate: Replica, customers: int
) -> None:
    put(emulator, generate(seed=11, customers=customers, now=NOW, tiers=False))
    explained = agree(tap, replicate)
    # Real amounts have few enough digits for a double, so the tap has them exactly, as we do.
    assert explained.keys() <= {
        "a_null_boolean_becomes_false",
        "an_amount_becomes_text",
        "fractions_of_a_quantity_are_cut_off",
    }


def test_rules_explain_awkward_values(emulator: Emulator, tap: Tap, replicate: Replica) -> None:
    put(emulator, awkward())
    assert agree(tap, replicate).keys() == rules.LOSSY


def test_tap_dies_at_a_plan_with_tiers(emulator: Emulator, tap: Tap, replicate: Replica) -> None:
    emulator.store.put("plans", plan("flat", 1))
    emulator.store.put("plans", plan("volume", 2, pricing_mode="volume", tiers=TIERS))
    emulator.store.put("subscriptions", subscription(1))
    output = tap.run("plans", "subscriptions")
    assert output.exit_code != 0
    assert "tiers: data does not match" in output.log
    assert output.streams == ["plans"]
    assert "volume" not in {record["id"] for record in output.records["plans"]}
    replicate.ok("plans", "subscriptions", start=START)
    assert replicate.ids("plans") == ["flat", "volume"]
    assert replicate.query("select min_qty, unit_cost from plans__tiers order by _index") == [
        (1, 5),
        (11, 4),
    ]
    assert replicate.ids("subscriptions") == [1]


def test_tap_never_hears_of_ended_subscriptions(
    emulator: Emulator, tap: Tap, replicate: Replica
) -> None:
    emulator.store.put_many("subscriptions", map(subscription, (1, 2, 3)))

    def read() -> list[Record]:
        output = tap.run("subscriptions")
        assert output.exit_code == 0, output.log[-2000:]
        replicate.ok("subscriptions", start=START)
        return output.records["subscriptions"]

    records = read()
    now = emulator.clock.advance(3600)
    for record_id, end in ((1, "canceled"), (2, "finished")):
        ended = subscription(record_id, **{"status": end, end: True, "updated_at": now})
        emulator.store.put("subscriptions", ended)
    # Something else changes, so that the tap's bookmark moves past the end of the two.
    emulator.store.put("subscriptions", subscription(3, updated_at=now, status="past_due"))
    emulator.clock.advance(3600)
    records += read()
    statuses = {record["id"]: record["status"] for record in records}
    assert statuses == {1: "active", 2: "active", 3: "past_due"}
    ours = dict(replicate.query("select id, status from subscriptions"))
    assert ours == {1: "canceled", 2: "finished", 3: "past_due"}


class Editor:
    """Changes the invoices that were read first, before each request for invoices but the first."""

    CHANGES = 3

    def __init__(self, emulator: Emulator, invoices: int) -> None:
        self._emulator = emulator
        self._unchanged = iter(range(1, invoices + 1))
        self._first = True
        self._lock = threading.Lock()
        self.changed: set[int] = set()

    def __call__(self, path: str, _: Record) -> None:
        with self._lock:
            if path != "/invoices":
                return
            if self._first:
                self._first = False
                return
            now = self._emulator.clock.advance(1)
            for record_id in islice(self._unchanged, self.CHANGES):
                record = invoice(record_id, now, created_at=NOW - 9, status="paid")
                self._emulator.store.put("invoices", record)
                self.changed.add(record_id)


def test_tap_loses_rows_while_others_change(
    emulator: Emulator, tap: Tap, replicate: Replica
) -> None:
    invoices = 1000
    changed: dict[str, set[int]] = {}

    def fill() -> None:
        empty(emulator)
        records = (invoice(at, NOW - 2000 + at, created_at=NOW - 9) for at in count(1))
        emulator.store.put_many("invoices", islice(records, invoices))

    def read_under_change(reader: str, read: Callable[[], Any]) -> Any:
        fill()
        emulator.on_request = editor = Editor(emulator, invoices)
        result = read()
        emulator.on_request = None
        emulator.clock.advance(3600)
        changed[reader] = editor.changed
        return result

    output = read_under_change("tap", lambda: tap.run("invoices"))
    again = tap.run("invoices")
    assert (output.exit_code, again.exit_code) == (0, 0)
    seen = {record["id"] for record in output.records["invoices"] + again.records["invoices"]}
    # Every change moves a record to the end, and one unread record back onto a page already read.
    pages = invoices // 100
    lost = {*range(1, invoices + 1)} - seen
    assert len(lost) == (pages - 1) * Editor.CHANGES == len(changed["tap"])
    assert not lost & changed["tap"]

    read_under_change("ours", lambda: replicate.ok("invoices", start=START))
    assert len(changed["ours"]) >= (pages - 1) * Editor.CHANGES
    assert replicate.ids("invoices") == [*range(1, invoices + 1)]
    replicate.ok("invoices", start=START)
    paid = replicate.query("select id from invoices where status = 'paid'")
    assert {row[0] for row in paid} == changed["ours"]
