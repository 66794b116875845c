"""The history of tables: every version that a load has read, and nothing twice."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.exceptions import ConfigurationError, WarehouseError
from invoiced_pipeline.warehouse import row_redaction
from invoiced_pipeline.warehouse.deletion_marks import Mark, Marks
from invoiced_pipeline_tests.conftest import NOW, Replica, customer, invoice, items

ON = {"invoices": {"history": True}}
GUIDE = Path(__file__).parents[2] / "docs" / "history.md"


def at(seconds: int) -> datetime:
    """An instant, in seconds after the clock's."""
    return datetime.fromtimestamp(NOW + seconds, UTC)


def history(replica: Replica, *columns: str, table: str = "invoices") -> list[tuple[Any, ...]]:
    """Rows of a history: id, some columns, and the time for which each version held."""
    replica.keep_views()
    listed = ", ".join(["id", *columns, "valid_from", "valid_to", "is_current"])
    order = "id, valid_from nulls first"
    return replica.query(f"select {listed} from {table}__history order by {order}")


@pytest.mark.everywhere
def test_every_version_is_kept_once(emulator: Emulator, replicate: Replica) -> None:
    """Read again, the second one with other content, and one older than both that comes late."""
    replicate.tables = ON
    put = emulator.store.put
    emulator.store.put_many("invoices", [invoice(1, NOW - 900, status="draft"), invoice(2)])
    replicate.ok("invoices")
    put("invoices", invoice(1, NOW - 250, status="sent", items=items(2)))
    replicate.ok("invoices")
    other = (2, None, at(-1000), None, True)
    first, second = (1, "draft", at(-900), at(-250), False), (1, "sent", at(-250), None, True)
    assert history(replicate, "status") == [first, second, other]
    put("invoices", invoice(1, NOW - 250, status="viewed"))
    replicate.ok("invoices", mode="full")
    changed = (1, "viewed", at(-250), None, True)
    assert history(replicate, "status") == [first, changed, other]
    put("invoices", invoice(1, NOW - 500, status="late"))
    replicate.ok("invoices", mode="full")
    late = (1, "late", at(-500), at(-250), False)
    assert history(replicate, "status") == [(*first[:3], at(-500), False), late, changed, other]
    row = replicate.query("select _deleted_at, _extra, _dlt_load_id from invoices__history")[0]
    assert row[:2] == (None, None)
    assert row[2]
    columns = ["valid_from", "valid_to", "is_current"]
    assert replicate.columns("invoices__history") == [*replicate.columns("invoices"), *columns]


@pytest.mark.everywhere
def test_history_begins_ends_and_begins_again(emulator: Emulator, replicate: Replica) -> None:
    put = emulator.store.put_many
    put("invoices", [invoice(1, NOW - 900), invoice(2, NOW - 90_000)])
    replicate.ok("invoices")
    replicate.tables = ON
    put("invoices", [invoice(1, NOW - 280)])
    replicate.ok("invoices")
    begun = [
        (1, at(-900), at(-280), False),
        (1, at(-280), None, True),
        (2, at(-90_000), None, True),
    ]
    assert history(replicate) == begun
    replicate.tables = {}
    for seconds in (-260, -240):
        put("invoices", [invoice(1, NOW + seconds), invoice(2, NOW + seconds)])
        replicate.ok("invoices")
    assert history(replicate) == begun
    replicate.tables = ON
    put("invoices", [invoice(1, NOW - 200)])
    replicate.ok("invoices")
    assert history(replicate) == [
        (1, at(-900), at(-280), False),
        (1, at(-280), at(-240), False),
        (1, at(-240), at(-200), False),
        (1, at(-200), None, True),
        (2, at(-90_000), at(-240), False),
        (2, at(-240), None, True),
    ]


def test_an_idle_sync_and_a_sweep_begin_a_history_too(
    emulator: Emulator, replicate: Replica
) -> None:
    emulator.store.put("invoices", invoice(1, NOW - 90_000))
    emulator.store.put("customers", customer(1, NOW - 90_000))
    replicate.ok("invoices", "customers")
    replicate.tables = {name: {"history": True} for name in ("invoices", "customers")}
    emulator.store.put("customers", customer(2, None))
    replicate.sweep("customers")
    replicate.ok("invoices")
    assert history(replicate) == [(1, at(-90_000), None, True)]
    assert history(replicate, table="customers") == [
        (1, at(-90_000), None, True),
        (2, None, None, True),
    ]


@pytest.mark.slow
def test_a_history_that_was_deleted_can_begin_again(emulator: Emulator, replicate: Replica) -> None:
    replicate.tables = ON
    for seconds in (-900, -250):
        emulator.store.put("invoices", invoice(1, NOW + seconds))
        replicate.ok("invoices")
    assert len(history(replicate)) == 2
    replicate.tables = {}
    replicate.ok("invoices")
    with replicate.database.session("invoiced") as session:
        session.run("drop view invoices__history")
        session.run("drop table invoices__versions")
    replicate.tables = ON
    replicate.ok("invoices")
    assert history(replicate) == [(1, at(-250), None, True)]


def test_deleted_and_restored_records(emulator: Emulator, replicate: Replica) -> None:
    replicate.tables = ON
    emulator.store.put_many("invoices", [invoice(1, NOW - 900), invoice(2, NOW - 900)])
    replicate.ok("invoices")
    Marks(replicate.database, "invoiced").apply([Mark("invoices", "id", 1, at(-250))])
    removed = Marks(replicate.database, "invoiced", "remove")
    removed.apply([Mark("invoices", "id", 2, at(-250))])
    assert replicate.ids("invoices") == [1]
    gone = [(1, at(-900), at(-250), False), (2, at(-900), at(-250), False)]
    assert history(replicate) == gone
    emulator.store.put("invoices", invoice(1, NOW - 200))
    replicate.ok("invoices")
    assert history(replicate) == [gone[0], (1, at(-200), None, True), gone[1]]


def test_a_load_that_fails_leaves_neither_rows_nor_versions(
    emulator: Emulator, replicate: Replica, sql_client: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The versions come first in the transaction that replaces the rows."""
    emulator.store.put("invoices", invoice(1, NOW - 900))
    replicate.ok("invoices")
    replicate.tables = ON
    emulator.store.put("invoices", invoice(1, NOW - 250))
    execute_many = sql_client.execute_many

    def fail(self: Any, statements: Any, *args: Any, **kwargs: Any) -> Any:
        is_merge = any("invoices__versions" in text and "INSERT" in text for text in statements)
        result = execute_many(self, statements, *args, **kwargs)
        if is_merge:
            raise OSError("IO Error: No space left on device")
        return result

    with monkeypatch.context() as patch:
        patch.setattr(sql_client, "execute_many", fail)
        with pytest.raises(WarehouseError, match="No space left"):
            replicate("invoices")
    assert replicate.query("select updated_at from invoices") == [(at(-900),)]
    assert replicate.ids("invoices__versions") == []
    replicate.ok("invoices")
    assert history(replicate) == [(1, at(-900), at(-250), False), (1, at(-250), None, True)]


def test_versions_are_hashed_and_dropped_like_rows(
    emulator: Emulator, replicate: Replica, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_redaction, "CHUNK", 2)
    on = {"history": True}
    replicate.tables = {"customers": on}
    email = "jane@example.com"
    for seconds in (-280, -260, -240, None):
        time = None if seconds is None else NOW + seconds
        records = [customer(n, time, email=email, notes="secret") for n in (1, 2, 3)]
        emulator.store.put_many("customers", records)
        replicate.ok("customers", mode="full")
    replicate.tables = {"customers": on | {"hash": ["email"], "drop": ["notes"]}}
    emulator.store.put("customers", customer(1, NOW - 200, email=email, notes="secret"))
    replicate.ok("customers")
    replicate.keep_views()
    for name in ("customers", "customers__history"):
        assert replicate.query(f"select distinct notes, length(email) from {name}") == [(None, 64)]
    hashes = "select count(distinct email), count(*) from customers__history"
    assert replicate.query(hashes) == [(1, len(history(replicate, table="customers")))]


def test_a_history_of_plans_is_refused(replicate: Replica) -> None:
    replicate.tables = {"plans": {"history": True}}
    with pytest.raises(ConfigurationError, match="plans cannot have a history, because its"):
        replicate.asked()


def test_the_documented_query_finds_the_end_of_last_month(
    emulator: Emulator, replicate: Replica
) -> None:
    """In any month: one version is older than two months, one is of now, the others are none."""
    replicate.tables = ON
    (query, _) = re.findall(r"```sql\n(select.*?);\n```", GUIDE.read_text("utf-8"), re.DOTALL)
    now = int(datetime.now(UTC).timestamp())
    long_ago = now - 70 * 86_400
    old = [invoice(n, long_ago, status="draft", balance=n) for n in (1, 2, 3)]
    emulator.clock.set(now)
    emulator.store.put_many("invoices", old)
    replicate.ok("invoices")
    emulator.store.put("invoices", invoice(1, now - 60, status="paid", balance=0))
    emulator.store.put("invoices", invoice(4, now - 60, status="draft"))
    replicate.ok("invoices")
    gone = datetime.fromtimestamp(long_ago + 86_400, UTC)
    Marks(replicate.database, "invoiced").apply([Mark("invoices", "id", 3, gone)])
    replicate.keep_views()
    month = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    expected = [(1, "INV-1", "draft", 1), (2, "INV-2", "draft", 2)]
    if datetime.fromtimestamp(now - 60, UTC) < month:  # in a month's first minute
        expected = [(1, "INV-1", "paid", 0), expected[1], (4, "INV-4", "draft", None)]
    assert replicate.query(query.replace("invoiced.", "")) == expected
