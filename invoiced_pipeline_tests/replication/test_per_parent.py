"""Tables that the API lists per parent: contacts, payment sources, pending lines, payment plans."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from invoiced_emulator.protocol.errors import ApiError, forbidden
from invoiced_emulator.run import fill
from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import OPTIONAL_TABLES, table
from invoiced_pipeline.windows import Window, from_epoch
from invoiced_pipeline_tests.change.actors import Actors
from invoiced_pipeline_tests.conftest import NOW, Replica, customer, invoice

TABLES = tuple(each.name for each in OPTIONAL_TABLES if each.parent is not None)
CHILD = "payment_plans__installments"

Sync = Callable[..., Any]


@pytest.fixture
def actors(emulator: Emulator) -> Actors:
    return Actors(emulator)


@pytest.fixture
def sync(emulator: Emulator, replicate: Replica) -> Sync:
    """Syncs an hour later; returns the reports, and how often each parent was asked."""

    def run(*names: str, **options: Any) -> Any:
        emulator.clock.advance(3600)
        emulator.forget()
        options = {"deletions": "mark"} | options
        reports = replicate(*(names or TABLES), **options)
        return reports, asked(emulator)

    return run


def asked(emulator: Emulator) -> list[str]:
    """The paths of the lists of single parents that were asked."""
    paths = [path for _, path, *_ in emulator.requests]
    return [path for path in paths if path.count("/") == 3]


def present(replicate: Replica, name: str) -> list[Any]:
    return [row["id"] for row in replicate.rows(name) if row["_deleted_at"] is None]


def contact(record_id: int, owner: int, updated_at: int = NOW - 5000, **fields: Any) -> Any:
    record = {"id": record_id, "object": "contact", "customer": owner, "customer_id": owner}
    return record | {"name": f"Contact {record_id}", "updated_at": updated_at} | fields


def put_customers(emulator: Emulator, count: int, updated_at: int = NOW - 9000) -> None:
    emulator.store.put_many("customers", (customer(one + 1, updated_at) for one in range(count)))


@pytest.mark.everywhere
def test_a_seeded_account_is_loaded_with_all_fields(
    emulator: Emulator, replicate: Replica, sync: Sync
) -> None:
    fill(emulator.store, seed=1, customers=25, now=NOW - 3600)
    reports, paths = sync()
    assert {each.error for each in reports.values()} == {None}
    stored = {
        "contacts": emulator.store.all("contacts"),
        "payment_sources": emulator.store.all("cards") + emulator.store.all("bank_accounts"),
        "pending_line_items": emulator.store.all("line_items"),
        "payment_plans": emulator.store.all("payment_plans"),
    }
    for name, records in stored.items():
        rows = replicate.rows(name)
        assert sorted(row["id"] for row in rows) == sorted(record["id"] for record in records)
        assert len(records) > 2
        assert {row["_extra"] for row in rows} == {None}
        column = table(name).parent.column  # pyright: ignore[reportOptionalMemberAccess]
        owners = {record["id"]: record.get(column, record.get("customer")) for record in records}
        if name == "payment_plans":
            owners = {record["id"]: record["invoice"] for record in records}
        assert {row["id"]: row[column] for row in rows} == owners
    assert {row["chargeable"] for row in replicate.rows("payment_sources")} == {True, False}
    assert len(replicate.rows(CHILD)) == 4 * len(stored["payment_plans"])
    # One request per customer and table, and one per invoice with a plan.
    assert len(paths) == 3 * 25 + len(stored["payment_plans"])
    reports, paths = sync()
    assert paths == []
    assert {each.rows for each in reports.values()} == {0}
    assert {each.tally.requests for each in reports.values()} == {2}


def test_only_customers_that_changed_or_that_an_event_names_are_asked(
    emulator: Emulator, replicate: Replica, sync: Sync, actors: Actors
) -> None:
    put_customers(emulator, 5)
    sync()
    actors.write("POST", "/customers/2/contacts", {"name": "New"})
    actors.write("PATCH", "/customers/3", {"name": "Renamed"})
    actors.write("POST", "/customers/4/line_items", {"name": "Line", "unit_cost": 5})
    reports, paths = sync()
    assert sorted(paths) == [
        "/customers/2/contacts",
        "/customers/3/contacts",
        "/customers/3/line_items",
        "/customers/3/payment_sources",
        "/customers/4/line_items",
    ]
    assert reports["contacts"].parents == reports["contacts"].expected_parents == 2
    assert [row["customer_id"] for row in replicate.rows("contacts")] == [2]
    assert [row["customer_id"] for row in replicate.rows("pending_line_items")] == [4]


def test_records_that_are_gone_are_marked(
    emulator: Emulator, replicate: Replica, sync: Sync, actors: Actors
) -> None:
    put_customers(emulator, 2)
    one = actors.write("POST", "/customers/1/contacts", {"name": "One"})["id"]
    two = actors.write("POST", "/customers/1/contacts", {"name": "Two"})["id"]
    line = actors.write("POST", "/customers/2/line_items", {"name": "Line", "unit_cost": 5})["id"]
    sync()
    actors.write("DELETE", f"/customers/1/contacts/{one}")
    actors.write("POST", "/customers/2/invoices")  # the pending line is on an invoice now
    sync()
    assert present(replicate, "contacts") == [two]
    assert present(replicate, "pending_line_items") == []
    # Without its event, the next visit of the customer shows it.
    with actors.events_lost():
        actors.write("DELETE", f"/customers/1/contacts/{two}")
    sync()
    assert present(replicate, "contacts") == [two]
    actors.write("PATCH", "/customers/1", {"name": "Renamed"})
    reports, _ = sync()
    assert present(replicate, "contacts") == []
    assert reports["contacts"].deleted == 1
    assert replicate.ids("pending_line_items") == [line]


def test_removed_sources_stay_and_two_kinds_may_share_an_id(
    emulator: Emulator, replicate: Replica, sync: Sync, actors: Actors
) -> None:
    put_customers(emulator, 1)
    shared = {"id": 7, "customer_id": 1, "chargeable": True, "updated_at": NOW - 5000}
    emulator.store.put("cards", shared | {"object": "card", "brand": "Visa"})
    emulator.store.put("bank_accounts", shared | {"object": "bank_account", "bank_name": "Bank"})
    sync("payment_sources")
    rows = {row["source_key"]: row for row in replicate.rows("payment_sources")}
    assert {key: row["id"] for key, row in rows.items()} == {"card:7": 7, "bank_account:7": 7}
    actors.write("DELETE", "/customers/1/cards/7")
    _, paths = sync("payment_sources")
    assert paths == ["/customers/1/payment_sources"]
    rows = {row["source_key"]: row for row in replicate.rows("payment_sources")}
    assert {key: row["chargeable"] for key, row in rows.items()} == {
        "card:7": False,
        "bank_account:7": True,
    }
    # A server that no longer lists it: the row is marked, and the other one stays.
    emulator.store.remove("cards", 7)
    actors.write("PATCH", "/customers/1", {"name": "Renamed"})
    sync("payment_sources")
    marked = {row["source_key"]: row["_deleted_at"] for row in replicate.rows("payment_sources")}
    assert marked["bank_account:7"] is None
    assert marked["card:7"] is not None


def test_payment_plans_follow_their_invoices(
    emulator: Emulator, replicate: Replica, sync: Sync, actors: Actors
) -> None:
    put_customers(emulator, 1)
    emulator.store.put_many(
        "invoices", (invoice(one, customer=1, balance=100) for one in range(1, 5))
    )

    def plan(of: int) -> dict[str, Any]:
        parts = [{"date": NOW + at, "amount": 50} for at in range(2)]
        return actors.write("PUT", f"/invoices/{of}/payment_plan", {"installments": parts})

    plans = {of: plan(of) for of in (1, 2, 3)}
    _, paths = sync("payment_plans")
    assert sorted(paths) == [f"/invoices/{of}/payment_plan" for of in (1, 2, 3)]
    assert len(replicate.rows(CHILD)) == 6
    # Progress of a plan leaves the invoice as it was, and its event names no invoice (observed).
    paid = {"installments": [], "status": "finished", "updated_at": emulator.clock.now() + 60}
    before = emulator.store.get("payment_plans", plans[1]["id"]) or {}
    emulator.clock.advance(60)
    emulator.store.put("payment_plans", before | paid)
    event = {"type": "payment_plan.updated", "timestamp": emulator.clock.now()}
    snapshot = {"id": plans[1]["id"], "object": "payment_plan"}
    emulator.store.put("events", event | {"id": 900_000, "data": {"object": snapshot}})
    actors.write("DELETE", "/invoices/2/payment_plan")
    plan(4)
    _, paths = sync("payment_plans")
    assert sorted(paths) == ["/invoices/1/payment_plan", "/invoices/4/payment_plan"]
    rows = {row["invoice_id"]: row for row in replicate.rows("payment_plans")}
    assert rows[1]["status"] == "finished"
    assert {of for of, row in rows.items() if row["_deleted_at"] is None} == {1, 3, 4}
    parts = [row for row in replicate.rows(CHILD) if row["_deleted_at"] is None]
    assert {row["payment_plan_id"] for row in parts} == {plans[3]["id"], rows[4]["id"]}
    # A deleted invoice takes its plan along, without an event of the plan.
    emulator.store.put("invoices", invoice(3, NOW, customer=1, balance=100, draft=True))
    actors.write("DELETE", "/invoices/3")
    sync("payment_plans")
    rows = {row["invoice_id"]: row for row in replicate.rows("payment_plans")}
    assert {of for of, row in rows.items() if row["_deleted_at"] is None} == {1, 4}


def test_the_start_date_counts_for_each_record_not_for_its_customer(
    emulator: Emulator, replicate: Replica, sync: Sync
) -> None:
    put_customers(emulator, 2, NOW - 400 * 86_400)
    emulator.store.put("contacts", contact(1, 1, NOW - 300 * 86_400))
    emulator.store.put("contacts", contact(2, 1, NOW - 5000))
    emulator.store.put("contacts", contact(3, 2, NOW - 5000))
    sync("customers", "contacts", start=from_epoch(NOW - 86_400))
    assert replicate.ids("customers") == []
    assert replicate.ids("contacts") == [2, 3]
    # An earlier start date asks all customers again, and loads what is missing.
    _, paths = sync("contacts", start=from_epoch(NOW - 365 * 86_400))
    assert len(paths) == 2
    assert replicate.ids("contacts") == [1, 2, 3]
    assert sync("contacts", start=from_epoch(NOW - 365 * 86_400))[1] == []


@pytest.mark.slow
def test_a_partition_is_read_again_from_all_customers(
    emulator: Emulator, replicate: Replica, sync: Sync
) -> None:
    put_customers(emulator, 2)
    emulator.store.put("contacts", contact(1, 1, NOW - 8000))
    emulator.store.put("contacts", contact(2, 2, NOW - 5000))
    window = Window(from_epoch(NOW - 6000), from_epoch(NOW - 4000))
    reports, paths = sync("contacts", mode="window", window=window)
    assert len(paths) == 2
    assert replicate.ids("contacts") == [2]
    assert reports["contacts"].coverage.windows == (window,)


def test_records_of_a_deleted_and_of_a_merged_customer(
    emulator: Emulator, replicate: Replica, sync: Sync, actors: Actors
) -> None:
    put_customers(emulator, 3)
    emulator.store.put_many("contacts", (contact(one, one) for one in (1, 2, 3)))
    sync("customers", "contacts")
    actors.write("DELETE", "/customers/1")
    actors.write("POST", "/customers/2/merge", {"customer": 3})
    _, paths = sync("customers", "contacts")
    assert paths == ["/customers/2/contacts"]
    rows = {row["id"]: row for row in replicate.rows("contacts")}
    assert {key for key, row in rows.items() if row["_deleted_at"] is None} == {2, 3}
    assert rows[3]["customer_id"] == 2


def test_a_contact_that_is_added_while_customers_are_asked(
    emulator: Emulator, replicate: Replica, sync: Sync, actors: Actors
) -> None:
    put_customers(emulator, 3)

    def meddle(path: str, _: Any) -> None:
        if path == "/customers/3/contacts":
            emulator.on_request = None
            actors.write("POST", "/customers/1/contacts", {"name": "Late"})

    emulator.on_request = meddle
    sync("contacts")
    assert replicate.ids("contacts") == []
    emulator.clock.advance(-3500)
    sync("contacts")
    assert len(replicate.ids("contacts")) == 1


def test_a_first_load_that_fails_midway_goes_on_where_it_was(
    emulator: Emulator, replicate: Replica, sync: Sync, actors: Actors
) -> None:
    put_customers(emulator, 250)
    emulator.store.put_many("contacts", (contact(one, one) for one in range(1, 251)))

    def refuse(path: str, _: Any) -> None:
        if path == "/customers/230/contacts":
            raise ApiError(422, "Nothing works")

    emulator.on_request = refuse
    reports, _ = sync("contacts")
    assert "Nothing works" in reports["contacts"].error
    assert not reports["contacts"].coverage.windows
    assert replicate.ids("contacts") == list(range(1, 201))
    emulator.on_request = None
    actors.write("POST", "/customers/7/contacts", {"name": "Meanwhile"})
    reports, paths = sync("contacts")
    assert sorted(paths) == sorted(f"/customers/{one}/contacts" for one in (7, *range(201, 251)))
    assert reports["contacts"].coverage.windows
    assert len(replicate.ids("contacts")) == 251
    assert sync("contacts")[1] == []


@pytest.mark.parametrize(
    "refusal",
    [
        pytest.param(forbidden(), id="403", marks=pytest.mark.slow),
        pytest.param(ApiError(404, "Request was not recognized: GET /customers/1/x"), id="404"),
    ],
)
def test_a_list_that_the_account_does_not_have_is_left_out(
    emulator: Emulator, replicate: Replica, sync: Sync, refusal: ApiError
) -> None:
    put_customers(emulator, 2)
    emulator.store.put("contacts", contact(1, 1))

    def refuse(path: str, _: Any) -> None:
        if path.endswith("/contacts"):
            raise refusal

    emulator.on_request = refuse
    reports, _ = sync("customers", "contacts")
    assert reports["customers"].error is None
    assert reports["contacts"].error is None
    assert reports["contacts"].unavailable
    assert replicate.ids("contacts") == []
    assert replicate.sweep("contacts")["contacts"].error is None
    emulator.on_request = None
    sync("customers", "contacts")
    assert replicate.ids("contacts") == [1]


@pytest.mark.parametrize(
    "text", [pytest.param("Customer was not found: 1", marks=pytest.mark.slow), "No such thing"]
)
def test_a_customer_that_is_gone_when_it_is_asked_has_no_records(
    emulator: Emulator, replicate: Replica, sync: Sync, text: str
) -> None:
    put_customers(emulator, 2)
    emulator.store.put_many("contacts", (contact(one, one) for one in (1, 2)))

    def refuse(path: str, _: Any) -> None:
        if path == "/customers/1/contacts":
            raise ApiError(404, text)

    emulator.on_request = refuse
    assert sync("contacts")[0]["contacts"].error is None
    assert replicate.ids("contacts") == [2]


def test_without_events_customers_that_changed_are_asked_and_the_sync_warns(
    emulator: Emulator, replicate: Replica, sync: Sync, actors: Actors
) -> None:
    put_customers(emulator, 2)
    sync("contacts")
    emulator.account.forbidden = {"events"}
    actors.write("POST", "/customers/1/contacts", {"name": "One"})
    actors.write("POST", "/customers/2/contacts", {"name": "Two"})
    actors.write("PATCH", "/customers/2", {"name": "Renamed"})
    reports, _ = sync("contacts")
    assert reports["contacts"].error is None
    assert "Changes of contacts that leave their customer as it was" in reports["contacts"].warning
    assert [row["name"] for row in replicate.rows("contacts")] == ["Two"]
    replicate.sweep("contacts")
    assert {row["name"] for row in replicate.rows("contacts")} == {"One", "Two"}


def test_the_sweep_finds_what_no_event_told(
    emulator: Emulator, replicate: Replica, sync: Sync, actors: Actors
) -> None:
    put_customers(emulator, 4)
    emulator.store.put_many("contacts", (contact(one, one) for one in (1, 2, 3, 4)))
    sync("contacts")
    emulator.store.put("contacts", contact(2, 2, NOW + 1000, name="Changed"))
    emulator.store.put("contacts", contact(3, 4))  # a merge keeps updated_at
    emulator.store.put("contacts", contact(5, 1, NOW + 1000))
    emulator.store.remove("contacts", 4)
    with actors.events_lost():
        actors.write("DELETE", "/customers/1")
    sync("contacts")
    report = replicate.sweep("contacts")["contacts"]
    assert (report.error, report.listed, report.deleted, report.brought) == (None, 2, 2, 2)
    rows = {row["id"]: row for row in replicate.rows("contacts")}
    assert {key for key, row in rows.items() if row["_deleted_at"] is None} == {2, 3}
    assert rows[2]["name"] == "Changed"
    assert rows[3]["customer_id"] == 4


def test_a_reject_is_asked_for_again_with_its_customer(
    emulator: Emulator, replicate: Replica, sync: Sync
) -> None:
    put_customers(emulator, 3)
    emulator.store.put("contacts", contact(1, 2, role_id="none"))
    emulator.store.put("contacts", contact(2, 3))
    reports, _ = sync("contacts")
    assert reports["contacts"].rejected == 1
    assert replicate.ids("contacts") == [2]
    reports, paths = sync("contacts")
    assert paths == ["/customers/2/contacts"]
    assert reports["contacts"].rejected == 1
    emulator.store.put("contacts", contact(1, 2, role_id=9))
    sync("contacts")
    assert replicate.ids("contacts") == [1, 2]
    assert replicate.rows("_rejected") == []
    assert sync("contacts")[1] == []


@pytest.mark.slow
def test_a_full_read_asks_all_customers(emulator: Emulator, replicate: Replica, sync: Sync) -> None:
    put_customers(emulator, 3)
    sync("contacts")
    emulator.store.put("contacts", contact(1, 2))
    reports, paths = sync("contacts", mode="full")
    assert len(paths) == 3
    assert replicate.ids("contacts") == [1]
    assert reports["contacts"].error is None


@pytest.mark.slow
def test_more_records_than_a_page(emulator: Emulator, replicate: Replica, sync: Sync) -> None:
    put_customers(emulator, 2)
    line = {"object": "line_item", "customer": 2, "name": "Line", "updated_at": NOW - 5000}
    emulator.store.put_many("line_items", (line | {"id": one} for one in range(1, 251)))
    sync("pending_line_items", overlap=timedelta(minutes=1))
    assert replicate.ids("pending_line_items") == list(range(1, 251))
