"""Deletions in a sync: events, their consequences, and records that are restored."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest

from invoiced_emulator.protocol.errors import ApiError, forbidden
from invoiced_emulator.server import Emulator
from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.settings import Deletions
from invoiced_pipeline.warehouse.deletion_marks import Mark, Marks
from invoiced_pipeline.windows import from_epoch
from invoiced_pipeline_tests.conftest import NOW, Replica, customer, invoice, items

Api = Callable[..., Any]


@pytest.fixture
def api(emulator: Emulator) -> Api:
    """Writes to the account like its users, a minute after the step before."""

    def call(method: str, path: str, body: Any = None) -> Any:
        emulator.clock.advance(60)
        auth = (emulator.api_key, "")
        answer = httpx.request(method, f"{emulator.url}{path}", json=body, auth=auth)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    return call


@pytest.fixture
def sync(emulator: Emulator, replicate: Replica) -> Callable[..., dict[str, TableReport]]:
    """Runs a sync with deletions, an hour after the step before."""

    def run(
        *tables: str, deletions: Deletions = "mark", after: int = 3600, **options: Any
    ) -> dict[str, TableReport]:
        emulator.clock.advance(after)
        return replicate.ok(*tables, deletions=deletions, **options)

    return run


def gone(replicate: Replica, table: str) -> dict[Any, int]:
    """The instants at which rows are marked, by the first column: the id, or the parent's id."""
    rows = [row for row in replicate.rows(table) if row["_deleted_at"]]
    return {next(iter(row.values())): int(row["_deleted_at"].timestamp()) for row in rows}


@pytest.mark.parametrize(
    "table",
    [
        "invoices",
        pytest.param("credit_notes", marks=pytest.mark.slow),
        pytest.param("estimates", marks=pytest.mark.slow),
    ],
)
def test_deleted_document_keeps_its_row_with_the_event_s_instant(
    emulator: Emulator, replicate: Replica, api: Api, sync: Any, table: str
) -> None:
    emulator.store.put("customers", customer(1))
    lines = [{"name": "a", "unit_cost": 5}, {"name": "b", "unit_cost": 7}]
    one, two = (api("POST", f"/{table}", {"customer": 1, "items": lines}) for _ in range(2))
    sync(table)
    api("DELETE", f"/{table}/{one['id']}")
    at = emulator.clock.now()
    reports = sync(table)
    assert gone(replicate, table) == {one["id"]: at}
    assert gone(replicate, f"{table}__items") == {one["id"]: at}
    assert reports[table].deleted == 1
    rows = {row["id"]: row for row in replicate.rows(table)}
    assert rows[one["id"]]["total"] == rows[two["id"]]["total"] == 12
    assert len(replicate.rows(f"{table}__items")) == 4
    # Nothing new happens, and the same event within the overlap changes nothing.
    assert sync(table, after=0)[table].deleted == 0
    assert gone(replicate, table) == {one["id"]: at}


def test_an_idle_sync_asks_for_events_twice(emulator: Emulator, sync: Any) -> None:
    emulator.store.put("customers", customer(1))
    sync("customers")
    sync("customers")
    emulator.forget()
    sync("customers")
    asked = [query for _, path, query, _ in emulator.requests if path == "/events"]
    assert len(asked) == 2
    # From where the last one ended: ten seconds before its clock, and five minutes before that.
    assert {int(query["start_date"]) for query in asked} == {NOW + 7200 - 10 - 300}
    assert len(emulator.requests) == 3


@pytest.mark.slow
def test_the_first_sync_asks_only_for_the_time(emulator: Emulator, sync: Any) -> None:
    emulator.store.put("customers", customer(1))
    sync("customers")
    (asked,) = [query for _, path, query, _ in emulator.requests if path == "/events"]
    assert asked == {"per_page": "1"}


@pytest.mark.everywhere
def test_rows_of_a_deleted_customer_are_marked(
    emulator: Emulator, replicate: Replica, api: Api, sync: Any
) -> None:
    for number in (1, 2):
        emulator.store.put("customers", customer(number))
        body = {"customer": number, "amount": 20, "applied_to": [{"type": "credit", "amount": 20}]}
        api("POST", "/payments", body)
        api("POST", "/credit_balance_adjustments", {"customer": number, "amount": 5})
        ended = {"customer": number, "status": "canceled", "updated_at": NOW, "addons": [{"id": 1}]}
        emulator.store.put("subscriptions", {"id": number, **ended})
    touched = ("customers", "payments", "transactions", "credit_balance_adjustments")
    sync(*touched, "subscriptions")
    api("DELETE", "/customers/1")
    at = emulator.clock.now()
    reports = sync(*touched, "subscriptions")
    for table in (*touched, "subscriptions"):
        mine = "id = 1" if table == "customers" else "customer = 1"
        sql = f"select count(*), count(_deleted_at) from {table} where "
        ((rows, marked),) = replicate.query(sql + mine)
        assert rows == marked == reports[table].deleted >= 1, table
        assert set(gone(replicate, table).values()) == {at}
    assert gone(replicate, "subscriptions__addons") == {1: at}
    assert len(gone(replicate, "payments__applied_to")) == 1


def test_merge_marks_the_absorbed_customer_and_reads_the_survivors_records(
    emulator: Emulator, replicate: Replica, api: Api, sync: Any
) -> None:
    for number in (1, 2):
        emulator.store.put("customers", customer(number))
    emulator.store.put("customers", customer(3, parent_customer=2))
    emulator.store.put("invoices", invoice(7, customer=2, items=items(2)))
    emulator.store.put("invoices", invoice(8, NOW - 9_999_999_999, customer=2))  # before the start
    emulator.store.put("estimates", {"id": 9, "customer": 2, "updated_at": NOW - 5000})
    api("POST", "/credit_balance_adjustments", {"customer": 2, "amount": 5})
    tables = ("customers", "invoices", "transactions", "credit_balance_adjustments")
    sync(*tables, "estimates")
    api("POST", "/customers/1/merge", {"customer": 2})
    at = emulator.clock.now()
    assert emulator.store.get("invoices", 7)["updated_at"] == NOW - 1000  # type: ignore[index]
    # Estimates are not part of this sync: they are read again when they are.
    sync(*tables)
    assert gone(replicate, "customers") == {2: at}
    assert replicate.query("select id, customer from invoices") == [(7, 1)]
    assert replicate.query("select customer from transactions") == [(1,)]
    assert replicate.query("select customer from credit_balance_adjustments") == [(1,)]
    assert len(replicate.rows("invoices__items")) == 2
    assert replicate.query("select customer from estimates") == [(2,)]
    sync("estimates")
    assert replicate.query("select customer from estimates") == [(1,)]
    emulator.forget()
    sync(*tables, "estimates")
    filtered = {path for _, path, query, _ in emulator.requests if "filter" in query}
    assert filtered == {"/events"}


@pytest.mark.slow
def test_a_deleted_survivor_marks_the_absorbed_customers_rows(
    emulator: Emulator, replicate: Replica, api: Api, sync: Any
) -> None:
    for number in (1, 2):
        emulator.store.put("customers", customer(number))
    api("POST", "/payments", {"customer": 2, "amount": 5})
    sync("customers", "payments")
    api("POST", "/customers/1/merge", {"customer": 2})
    api("DELETE", "/customers/1")
    sync("customers", "payments")
    assert set(gone(replicate, "customers")) == {1, 2}
    assert len(gone(replicate, "payments")) == 1


MONEY = ("payments", "transactions", "credit_balance_adjustments")


def share(record: dict[str, Any], amount: int) -> dict[str, Any]:
    return {"type": "invoice", "invoice": record["id"], "amount": amount}


CREDIT = {"type": "credit", "amount": 3}


@dataclass
class Paid:
    """A payment of ten: two invoices get four and three, the rest is credit."""

    id: int
    invoices: list[dict[str, Any]]


@pytest.fixture
def paid(emulator: Emulator, api: Api) -> Paid:
    emulator.store.put("customers", customer(1, currency="usd"))
    body = {"customer": 1, "items": [{"unit_cost": 50}]}
    first, second, third = (api("POST", "/invoices", body) for _ in range(3))
    applied = [share(first, 4), share(second, 3), CREDIT]
    made = api("POST", "/payments", {"customer": 1, "amount": 10, "applied_to": applied})
    return Paid(made["id"], [first, second, third])


def test_transactions_of_a_voided_payment_vanish(
    replicate: Replica, api: Api, sync: Any, paid: Paid
) -> None:
    other = {"customer": 1, "amount": 5, "applied_to": [share(paid.invoices[2], 5)]}
    other_id = api("POST", "/payments", other)["id"]
    sync(*MONEY)
    assert len(replicate.ids("transactions")) == 4
    api("DELETE", f"/payments/{paid.id}")
    reports = sync(*MONEY)
    sql = "select count(*), count(_deleted_at) from transactions where payment = "
    assert replicate.query(f"{sql} {paid.id}") == [(3, 3)]
    assert replicate.query(f"{sql} {other_id}") == [(1, 0)]
    assert reports["transactions"].deleted == 3
    # The credit is also a row of the adjustments.
    assert replicate.query(
        "select count(*), count(_deleted_at) from credit_balance_adjustments"
    ) == [(1, 1)]
    # The payment itself still exists, voided.
    assert replicate.query(f"select voided, _deleted_at from payments where id = {paid.id}") == [
        (True, None)
    ]


def test_transactions_vanish_when_a_payment_is_reapplied(
    emulator: Emulator, replicate: Replica, api: Api, sync: Any, paid: Paid
) -> None:
    sync("payments", "transactions")
    before = set(replicate.ids("transactions"))
    # The amounts stay the same, so there is not even an event.
    first, _, third = paid.invoices
    applied = [share(first, 4), share(third, 3), CREDIT]
    seen = emulator.store.count("events")
    api("PATCH", f"/payments/{paid.id}", {"applied_to": applied})
    kinds = {event["type"] for event in emulator.store.all("events")[seen:]}
    assert not kinds & {"payment.updated", "transaction.deleted"}
    sync("payments", "transactions")
    there = {record["id"] for record in emulator.store.all("transactions")}
    assert set(gone(replicate, "transactions")) == before - there
    assert len(before - there) == 1
    assert set(replicate.ids("transactions")) == before | there


@pytest.mark.slow
def test_transaction_missing_in_applied_to_is_looked_up(
    emulator: Emulator, replicate: Replica, api: Api, sync: Any, paid: Paid
) -> None:
    refund = {"id": 900, "type": "refund", "payment": paid.id, "updated_at": NOW}
    emulator.store.put("transactions", refund)
    sync("payments", "transactions")
    api("PATCH", f"/payments/{paid.id}", {"notes": "looked at"})
    emulator.forget()
    sync("payments", "transactions")
    assert gone(replicate, "transactions") == {}
    assert "/transactions/900" in {path for _, path, _, _ in emulator.requests}
    emulator.forget()
    sync("payments", "transactions")
    assert not [path for _, path, _, _ in emulator.requests if path.startswith("/transactions/")]


@pytest.mark.everywhere
def test_an_adjustment_without_a_transaction_is_asked_for_once(
    emulator: Emulator, replicate: Replica, sync: Any
) -> None:
    emulator.store.put("transactions", {"id": 1, "updated_at": NOW})
    for record in (1, 2):
        fields = {"object": "credit_balance_adjustment", "updated_at": NOW}
        emulator.store.put("credit_balance_adjustments", {"id": record, **fields})

    def asked() -> set[str]:
        emulator.forget()
        sync("transactions", "credit_balance_adjustments")
        paths = {path for _, path, _, _ in emulator.requests}
        return {path for path in paths if path.startswith("/credit_balance_adjustments/")}

    assert asked() == set()
    assert asked() == {"/credit_balance_adjustments/2"}
    assert asked() == set()
    assert gone(replicate, "credit_balance_adjustments") == {}


@pytest.mark.slow
def test_payment_deleted_by_an_integration(
    emulator: Emulator, replicate: Replica, sync: Any, paid: Paid
) -> None:
    """Its transactions are asked for: a refund of it can stay."""
    emulator.store.put("payments", {"id": 50, "updated_at": NOW, "applied_to": []})
    vanishing = [each["id"] for each in emulator.store.all("transactions")]
    refund = {"id": 900, "type": "refund", "payment": paid.id, "updated_at": NOW}
    emulator.store.put("transactions", refund)
    sync("payments", "transactions")
    at = emulator.clock.advance(60)
    for transaction in vanishing:
        emulator.store.remove("transactions", transaction)
    emulator.store.remove("payments", paid.id)
    for number, record in enumerate((paid.id, 50), 5000):
        data = {"object": {"id": record, "object": "payment", "voided": False}}
        event = {"id": number, "type": "payment.deleted", "timestamp": at, "data": data}
        emulator.store.put("events", event)
    sync("payments", "transactions")
    assert gone(replicate, "payments") == {paid.id: at}
    assert gone(replicate, "transactions") == dict.fromkeys(vanishing, at)
    assert len(vanishing) == 3
    assert set(gone(replicate, "payments__applied_to")) == {paid.id}


@pytest.mark.parametrize(
    "kind", ["credit_balance_adjustment", pytest.param("transaction", marks=pytest.mark.slow)]
)
def test_deleted_transaction_and_adjustment_are_one_thing(
    emulator: Emulator, replicate: Replica, api: Api, sync: Any, kind: str
) -> None:
    emulator.store.put("customers", customer(1))
    made = api("POST", "/credit_balance_adjustments", {"customer": 1, "amount": 5})
    other = api("POST", "/credit_balance_adjustments", {"customer": 1, "amount": 6})
    sync(*MONEY[1:])
    api("DELETE", f"/{kind}s/{made['id']}")
    at = emulator.clock.now()
    sync(*MONEY[1:])
    for table in ("transactions", "credit_balance_adjustments"):
        assert gone(replicate, table) == {made["id"]: at}
        assert other["id"] in replicate.ids(table)


def test_events_that_only_sound_like_deletions(
    emulator: Emulator, replicate: Replica, api: Api, sync: Any
) -> None:
    emulator.store.put("customers", customer(1))
    body = {"amount": 5, "interval": "month", "interval_count": 1, "name": "P", "id": "plan"}
    api("POST", "/plans", body)
    subscription = api("POST", "/subscriptions", {"customer": 1, "plan": "plan"})
    contact = api("POST", "/customers/1/contacts", {"name": "Jan"})
    payment = api("POST", "/payments", {"customer": 1, "amount": 5})
    sync("subscriptions", "plans", "payments")
    api("DELETE", f"/subscriptions/{subscription['id']}")
    api("DELETE", f"/customers/1/contacts/{contact['id']}")
    api("DELETE", "/plans/plan")
    api("DELETE", f"/payments/{payment['id']}")
    seen = {event["type"] for event in emulator.store.all("events")}
    assert seen >= {"subscription.deleted", "contact.deleted", "payment.deleted"}
    reports = sync("subscriptions", "plans", "payments")
    assert sum(report.deleted for report in reports.values()) == 0
    assert replicate.query("select status, _deleted_at from subscriptions") == [("canceled", None)]
    assert replicate.query("select archived, _deleted_at from plans") == [(True, None)]
    emulator.store.put("events", {"id": 900, "type": "invoice.deleted", "data": {"object": {}}})
    lost = {"id": 901, "type": "invoice.deleted", "data": [], "timestamp": emulator.clock.now()}
    emulator.store.put("events", lost)
    sync("subscriptions", "plans", "payments")


def test_restored_record_loses_its_mark(
    emulator: Emulator, replicate: Replica, api: Api, sync: Any
) -> None:
    emulator.store.put("invoices", invoice(1, customer=None, items=items(2)))
    sync("invoices")
    api("DELETE", "/invoices/1")
    sync("invoices", after=1)
    assert set(gone(replicate, "invoices")) == set(gone(replicate, "invoices__items")) == {1}
    now = emulator.clock.advance(60)
    emulator.store.put("invoices", invoice(1, now, items=items(2)))
    for _ in range(2):  # the event is still in the overlap, but has no effect
        sync("invoices", after=1)
        assert gone(replicate, "invoices") == gone(replicate, "invoices__items") == {}


def test_child_rows_are_removed_with_their_rows(
    emulator: Emulator, replicate: Replica, api: Api, sync: Any
) -> None:
    for number in (1, 2):
        emulator.store.put("invoices", invoice(number, items=items(2)))
    sync("invoices", deletions="remove")
    api("DELETE", "/invoices/1")
    assert sync("invoices", deletions="remove")["invoices"].deleted == 1
    assert replicate.ids("invoices") == [2]
    assert replicate.query("select invoice_id from invoices__items") == [(2,), (2,)]
    assert sync("invoices", deletions="remove", after=0)["invoices"].deleted == 0


@pytest.mark.slow
def test_ignored_deletions_cost_nothing(
    emulator: Emulator, replicate: Replica, api: Api, sync: Any
) -> None:
    emulator.store.put("invoices", invoice(1))
    sync("invoices", deletions="ignore")
    api("DELETE", "/invoices/1")
    emulator.forget()
    sync("invoices", deletions="ignore")
    assert gone(replicate, "invoices") == {}
    assert "/events" not in {path for _, path, _, _ in emulator.requests}


@pytest.mark.slow
def test_deletions_are_read_in_every_mode(
    emulator: Emulator, replicate: Replica, api: Api, sync: Any
) -> None:
    for number in (1, 2):
        emulator.store.put("invoices", invoice(number))
    sync("invoices")
    for number, mode in ((1, "window"), (2, "full")):
        api("DELETE", f"/invoices/{number}")
        sync("invoices", mode=mode)
        assert number in gone(replicate, "invoices")


@pytest.mark.slow
def test_a_table_that_is_not_part_of_the_sync_is_marked_as_well(
    emulator: Emulator, replicate: Replica, api: Api, sync: Any
) -> None:
    emulator.store.put("invoices", invoice(1))
    sync("invoices", "customers")
    api("DELETE", "/invoices/1")
    sync("customers")
    assert set(gone(replicate, "invoices")) == {1}


@pytest.mark.slow
def test_a_dataset_from_before_deletions_were_read_begins_where_its_tables_end(
    emulator: Emulator, replicate: Replica, api: Api, sync: Any
) -> None:
    emulator.store.put("invoices", invoice(1))
    sync("invoices", deletions="ignore")
    api("DELETE", "/invoices/1")
    sync("invoices")
    assert set(gone(replicate, "invoices")) == {1}


def test_a_run_that_dies_between_marks_and_load_is_repeated(  # noqa: PLR0917
    emulator: Emulator,
    replicate: Replica,
    api: Api,
    sync: Any,
    sql_client: type,
    monkeypatch: pytest.MonkeyPatch,
    paid: Paid,
) -> None:
    emulator.store.put("invoices", invoice(70, customer=1))
    tables = ("invoices", "customers", *MONEY)
    sync(*tables)
    api("DELETE", "/invoices/70")
    at = emulator.clock.now()
    api("DELETE", f"/payments/{paid.id}")
    emulator.store.put("customers", customer(55, emulator.clock.now()))

    def fail(self: Any, *args: Any, **kwargs: Any) -> Any:
        message = "IO Error: No space left on device"
        raise OSError(message)

    with monkeypatch.context() as patch:
        patch.setattr(sql_client, "execute_many", fail)
        with pytest.raises(WarehouseError, match="No space left"):
            sync(*tables)
    marked = gone(replicate, "transactions")
    assert gone(replicate, "invoices") == {70: at}
    assert len(marked) == 3
    assert 55 not in replicate.ids("customers")
    # A day later, the same events are read again.
    reports = sync(*tables, after=86_400)
    assert reports["invoices"].deleted == reports["transactions"].deleted == 0
    assert gone(replicate, "invoices") == {70: at}
    assert gone(replicate, "transactions") == marked
    assert 55 in replicate.ids("customers")


@pytest.mark.parametrize("seconds_ago", [200, pytest.param(0, marks=pytest.mark.slow)])
def test_deleted_after_the_feed_was_read_is_marked_by_the_next_sync(
    emulator: Emulator, replicate: Replica, sync: Any, seconds_ago: int
) -> None:
    emulator.store.put("invoices", invoice(1, NOW + 3000))
    sync("invoices")
    emulator.store.remove("invoices", 1)
    at = emulator.clock.now() - seconds_ago
    event = {"id": 1, "type": "invoice.deleted", "data": {"object": {"id": 1}}, "timestamp": at}
    emulator.store.put("events", event)
    sync("invoices", after=1)
    assert gone(replicate, "invoices") == {1: at}


@pytest.mark.parametrize(
    ("refusal", "said"),
    [
        (forbidden(), "You do not have permission to do that"),
        pytest.param(
            ApiError(400, "Your Invoiced account does not have access to this feature"),
            "feature",
            marks=pytest.mark.slow,
        ),
    ],
    ids=["permission", "feature"],
)
def test_without_events_the_sync_goes_on_and_warns(  # noqa: PLR0917
    emulator: Emulator, replicate: Replica, api: Api, sync: Any, refusal: ApiError, said: str
) -> None:
    emulator.store.put("invoices", invoice(1))
    sync("invoices")
    api("DELETE", "/invoices/1")
    emulator.store.put("invoices", invoice(2, emulator.clock.now()))

    def refuse(path: str, _: Any) -> None:
        if path == "/events":
            raise refusal

    emulator.on_request = refuse
    report = sync("invoices")["invoices"]
    assert said in (report.warning or "")
    assert "invoiced-pipeline sweep" in (report.warning or "")
    assert replicate.ids("invoices") == [1, 2]
    assert gone(replicate, "invoices") == {}
    # Nothing is lost: once events can be read, the sync reads them from where it ended.
    emulator.on_request = None
    assert sync("invoices")["invoices"].warning is None
    assert set(gone(replicate, "invoices")) == {1}


@pytest.mark.slow
def test_more_events_than_a_page(emulator: Emulator, replicate: Replica, sync: Any) -> None:
    emulator.store.put_many("invoices", (invoice(number) for number in range(1, 251)))
    sync("invoices")
    at = emulator.clock.advance(60)
    for number in range(1, 251):
        emulator.store.remove("invoices", number)
    emulator.store.put_many(
        "events",
        (
            {"id": n, "type": "invoice.deleted", "timestamp": at, "data": {"object": {"id": n}}}
            for n in range(1, 251)
        ),
    )
    assert sync("invoices")["invoices"].deleted == 250
    assert len(gone(replicate, "invoices")) == 250
    assert sync("invoices", overlap=timedelta(days=1))["invoices"].deleted == 0


@pytest.mark.everywhere
def test_a_mark_from_before_the_record_s_last_change_does_not_count(
    emulator: Emulator, replicate: Replica
) -> None:
    emulator.store.put("invoices", invoice(1, NOW - 1000))
    emulator.store.put("plans", {"id": "p", "updated_at": NOW - 1000})
    replicate.ok("invoices", "plans")
    marks = Marks(replicate.database, replicate.dataset)
    for at, count in ((NOW - 1001, 0), (NOW - 1000, 1), (NOW, 0)):
        for table, record in (("invoices", 1), ("plans", "p")):
            mark = Mark(table, "id", record, from_epoch(at))
            assert marks.apply([mark])[table] == count
    assert gone(replicate, "invoices") == {1: NOW - 1000}
    unknown = [Mark("customers", "id", 1, from_epoch(NOW))]
    assert not marks.apply(unknown)
    assert not Marks(replicate.database, "other").apply(unknown)


def test_transactions_that_vanished_while_they_were_unavailable_are_found(
    emulator: Emulator, replicate: Replica, api: Api, sync: Any, paid: Paid
) -> None:
    sync("payments", "transactions")
    before = set(replicate.ids("transactions"))
    emulator.account.forbidden = {"transactions"}
    first, _, third = paid.invoices
    applied = [share(first, 4), share(third, 3), CREDIT]
    api("PATCH", f"/payments/{paid.id}", {"applied_to": applied})
    reports = sync("payments", "transactions")
    assert "answered 403" in (reports["transactions"].unavailable or "")
    assert reports["payments"].is_complete
    assert gone(replicate, "transactions") == {}
    emulator.account.forbidden = set()
    sync("payments", "transactions")  # reads the changes; the next sync goes back
    sync("payments", "transactions")
    there = {record["id"] for record in emulator.store.all("transactions")}
    assert set(gone(replicate, "transactions")) == before - there != set()
    assert set(replicate.ids("transactions")) == before | there


@pytest.mark.slow
def test_transactions_of_a_payment_that_was_deleted_while_they_were_unavailable_are_found(
    emulator: Emulator, replicate: Replica, sync: Any, paid: Paid
) -> None:
    sync("payments", "transactions")
    before = set(replicate.ids("transactions"))
    emulator.account.forbidden = {"transactions"}
    at = emulator.clock.advance(60)
    for transaction in before:
        emulator.store.remove("transactions", transaction)
    emulator.store.remove("payments", paid.id)
    data = {"object": {"id": paid.id, "object": "payment", "voided": False}}
    event = {"id": 5000, "type": "payment.deleted", "timestamp": at, "data": data}
    emulator.store.put("events", event)
    sync("payments", "transactions")
    assert gone(replicate, "payments") == {paid.id: at}
    assert gone(replicate, "transactions") == {}
    emulator.account.forbidden = set()
    sync("payments", "transactions", after=2 * 86_400)
    sync("payments", "transactions")
    assert set(gone(replicate, "transactions")) == before != set()


def test_deletions_of_a_table_are_found_once_it_is_available_again(
    emulator: Emulator, replicate: Replica, sync: Any
) -> None:
    payment = {"id": 50, "updated_at": NOW, "applied_to": []}
    emulator.store.put("payments", payment)
    emulator.store.put_many("invoices", [invoice(1, NOW), invoice(2, NOW)])
    emulator.store.put("customers", customer(1, NOW))
    tables = ("customers", "invoices", "payments")
    sync(*tables)
    emulator.account.forbidden = {"payments", "invoices"}
    at = emulator.clock.advance(60)

    def delete(number: int, collection: str, record: int) -> None:
        emulator.store.remove(collection, record)
        data = {"object": {"id": record, "voided": False}}
        event = {"id": number, "type": f"{collection[:-1]}.deleted", "timestamp": at, "data": data}
        emulator.store.put("events", event)

    delete(1, "payments", 50)  # deleted or voided: the API does not say
    delete(2, "customers", 1)
    reports = sync(*tables)
    assert {name for name, each in reports.items() if each.unavailable} == {"invoices", "payments"}
    assert gone(replicate, "customers") == {1: at}
    assert gone(replicate, "payments") == {}
    delete(3, "invoices", 1)  # an event that this key could not see
    emulator.account.forbidden = set()
    sync(*tables, after=2 * 86_400)
    sync(*tables)
    assert gone(replicate, "payments") == {50: at}
    assert gone(replicate, "invoices") == {1: at}
    assert replicate.ids("invoices") == [1, 2]
