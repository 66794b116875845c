"""The history of tables: every version that a load has read, and nothing twice."""

from datetime import UTC, datetime
from typing import Any

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.replication.documentation.dataset import document_dataset
from invoiced_pipeline.selection.tables import all_tables_of
from invoiced_pipeline.warehouse.deletion_marks import Mark, Marks
from invoiced_pipeline_tests.conftest import NOW, Replica, invoice, items

ON = {"invoices": {"history": True}}


def at(seconds: int) -> datetime:
    """An instant, in seconds after the clock's."""
    return datetime.fromtimestamp(NOW + seconds, UTC)


def history(replica: Replica, *columns: str, table: str = "invoices") -> list[tuple[Any, ...]]:
    """Rows of a history: id, some columns, and the time for which each version held."""
    with replica.database.session(replica.dataset) as session:
        document_dataset(session, all_tables_of(replica.settings().first), current_views=False)
    listed = ", ".join(["id", *columns, "valid_from", "valid_to", "is_current"])
    order = "id, valid_from nulls first"
    return replica.query(f"select {listed} from {table}__history order by {order}")


@pytest.mark.everywhere
def test_every_version_is_kept_once(emulator: Emulator, replicate: Replica) -> None:
    replicate.tables = ON
    emulator.store.put_many("invoices", [invoice(1, NOW - 900, status="draft"), invoice(2)])
    replicate.ok("invoices")
    emulator.store.put("invoices", invoice(1, NOW - 250, status="sent", items=items(2)))
    replicate.ok("invoices")
    versions = [
        (1, "draft", at(-900), at(-250), False),
        (1, "sent", at(-250), None, True),
        (2, None, at(-1000), None, True),
    ]
    assert history(replicate, "status") == versions
    replicate.ok("invoices", mode="full")
    replicate.ok("invoices")
    assert history(replicate, "status") == versions
    row = replicate.query("select _deleted_at, _extra, _dlt_load_id from invoices__history")[0]
    assert row[:2] == (None, None)
    assert row[2]
    columns = ["valid_from", "valid_to", "is_current"]
    assert replicate.columns("invoices__history") == [*replicate.columns("invoices"), *columns]


def test_history_begins_with_what_the_table_holds(emulator: Emulator, replicate: Replica) -> None:
    emulator.store.put_many("invoices", [invoice(1, NOW - 900, status="draft"), invoice(2)])
    replicate.ok("invoices")
    replicate.tables = ON
    emulator.store.put("invoices", invoice(1, NOW - 250, status="sent"))
    replicate.ok("invoices")
    assert history(replicate, "status") == [
        (1, "draft", at(-900), at(-250), False),
        (1, "sent", at(-250), None, True),
        (2, None, at(-1000), None, True),
    ]


def test_history_begins_with_an_idle_sync(emulator: Emulator, replicate: Replica) -> None:
    emulator.store.put("invoices", invoice(1, NOW - 90_000))
    replicate.ok("invoices")
    replicate.tables = ON
    replicate.ok("invoices")
    assert history(replicate) == [(1, at(-90_000), None, True)]


@pytest.mark.everywhere
def test_history_ends_and_begins_again(emulator: Emulator, replicate: Replica) -> None:
    replicate.tables = ON
    emulator.store.put_many("invoices", [invoice(1, NOW - 900), invoice(2, NOW - 900)])
    replicate.ok("invoices")
    replicate.tables = {}
    for seconds in (-280, -240):
        emulator.store.put_many("invoices", [invoice(each, NOW + seconds) for each in (1, 2)])
        replicate.ok("invoices")
    assert history(replicate) == [(1, at(-900), None, True), (2, at(-900), None, True)]
    replicate.tables = ON
    emulator.store.put("invoices", invoice(1, NOW - 200))
    replicate.ok("invoices")
    assert history(replicate) == [
        (1, at(-900), at(-240), False),
        (1, at(-240), at(-200), False),
        (1, at(-200), None, True),
        (2, at(-900), at(-240), False),
        (2, at(-240), None, True),
    ]


@pytest.mark.everywhere
def test_a_deletion_ends_a_version_and_a_restored_record_begins_another(
    emulator: Emulator, replicate: Replica
) -> None:
    replicate.tables = ON
    emulator.store.put("invoices", invoice(1, NOW - 900))
    replicate.ok("invoices")
    emulator.store.put("invoices", invoice(1, NOW - 280))
    replicate.ok("invoices")
    marks = Marks(replicate.database, "invoiced")
    marks.apply([Mark("invoices", "id", 1, at(-250))])
    gone = [(1, at(-900), at(-280), False), (1, at(-280), at(-250), False)]
    assert history(replicate) == gone
    emulator.store.put("invoices", invoice(1, NOW - 200))
    replicate.ok("invoices")
    assert history(replicate) == [*gone, (1, at(-200), None, True)]
    marks.apply([Mark("invoices", "id", 1, at(-100))])
    assert history(replicate) == [*gone, (1, at(-200), at(-100), False)]


@pytest.mark.everywhere
def test_a_mark_that_was_wrong_is_forgotten(emulator: Emulator, replicate: Replica) -> None:
    replicate.tables = ON
    emulator.store.put("invoices", invoice(1, NOW - 900))
    replicate.ok("invoices")
    Marks(replicate.database, "invoiced").apply([Mark("invoices", "id", 1, at(-250))])
    replicate.ok("invoices", mode="full")
    assert history(replicate) == [(1, at(-900), None, True)]


def test_versions_stay_if_the_rows_of_deleted_records_are_removed(
    emulator: Emulator, replicate: Replica
) -> None:
    replicate.tables = ON
    emulator.store.put("invoices", invoice(1, NOW - 900))
    replicate.ok("invoices")
    Marks(replicate.database, "invoiced", "remove").apply([Mark("invoices", "id", 1, at(-250))])
    assert replicate.ids("invoices") == []
    assert history(replicate) == [(1, at(-900), at(-250), False)]


@pytest.mark.everywhere
def test_a_mark_by_a_clock_that_is_behind_ends_only_the_last_version(
    emulator: Emulator, replicate: Replica
) -> None:
    replicate.tables = ON
    for seconds in (-280, -240):
        emulator.store.put("invoices", invoice(1, NOW + seconds))
        replicate.ok("invoices")
    mark = Mark("invoices", "id", 1, at(-90_000), is_certain=True)
    Marks(replicate.database, "invoiced").apply([mark])
    assert history(replicate) == [
        (1, at(-280), at(-240), False),
        (1, at(-240), at(-240), False),
    ]


@pytest.mark.everywhere
def test_an_older_version_that_comes_late_takes_its_place(
    emulator: Emulator, replicate: Replica
) -> None:
    replicate.tables = ON
    for seconds in (-900, -100, -500):
        emulator.store.put("invoices", invoice(1, NOW + seconds, total=-seconds))
        replicate.ok("invoices", mode="full")
    assert history(replicate, "total") == [
        (1, 900, at(-900), at(-500), False),
        (1, 500, at(-500), at(-100), False),
        (1, 100, at(-100), None, True),
    ]


@pytest.mark.everywhere
def test_of_one_version_the_newest_load_counts(emulator: Emulator, replicate: Replica) -> None:
    replicate.tables = ON
    for total in (1, 2):
        emulator.store.put("invoices", invoice(1, NOW - 900, total=total))
        replicate.ok("invoices", mode="full")
    assert history(replicate, "total") == [(1, 2, at(-900), None, True)]


@pytest.mark.everywhere
def test_records_without_a_time_and_with_absurd_times(
    emulator: Emulator, replicate: Replica
) -> None:
    replicate.tables = ON
    for updated_at in (None, 253_000_000_000, NOW - 900, None, -62_000_000_000):
        emulator.store.put("invoices", invoice(1, updated_at))
        replicate.sweep("invoices") if updated_at is None else None
        replicate.ok("invoices", mode="full")
    found = history(replicate)
    assert [row[0] for row in found] == [1] * len(found)
    assert [row[3] for row in found] == [False] * (len(found) - 1) + [True]
    assert [row[2] for row in found[:-1]] == [row[1] for row in found[1:]]
    Marks(replicate.database, "invoiced").apply(
        [Mark("invoices", "id", 1, at(-100), is_certain=True)]
    )
    ended = history(replicate)
    assert not any(row[3] for row in ended)
    assert (1, at(-900), at(-100), False) in ended
