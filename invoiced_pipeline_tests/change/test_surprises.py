"""What the API does that a pipeline written from its reference gets wrong, and this one does not.

Each test has both at work on one account; `docs/reliability.md` lists them in words.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.warehouse.sample_queries import run_sample_queries
from invoiced_pipeline.windows import from_epoch
from invoiced_pipeline_tests.change.naive import Naive
from invoiced_pipeline_tests.change.simulated_account import SimulatedAccount, Step
from invoiced_pipeline_tests.conftest import NOW, Replica
from invoiced_pipeline_tests.invoiced.handmade import HandmadeApi

HOUR = 3600
Make = Callable[..., SimulatedAccount]


@pytest.fixture
def account_of(emulator: Emulator, tmp_path: Path) -> Iterator[Make]:
    """An account that was synced an hour ago, as far as the tables named are concerned."""
    worlds: list[SimulatedAccount] = []

    def make(*tables: str, is_new: bool = False) -> SimulatedAccount:
        account = SimulatedAccount(emulator, tmp_path, tables=tables)
        account.begin(is_new=is_new)
        emulator.clock.advance(HOUR)
        account.refused.clear()
        worlds.append(account)
        return account

    yield make
    assert [account.refused for account in worlds if account.refused] == []


def ids(account: SimulatedAccount, table: str) -> set[Any]:
    return {record["id"] for record in account.actors.store.all(table)}


def here(account: SimulatedAccount, sql: str) -> dict[Any, Any]:
    return dict(account.replica.query(sql))


def test_a_list_re_sorts_itself_while_its_pages_are_turned(account_of: Make) -> None:
    account = account_of("customers", is_new=True)
    changed = [record["updated_at"] for record in account.actors.store.all("customers")]
    oldest = changed.index(min(changed))
    first = {("/customers", 1): [Step("rename_customer", oldest, wait=60)]}
    naive = Naive(account.emulator, "/customers")
    with account.meddling(first):
        naive.read()
    naive.read()
    assert len(ids(account, "customers") - naive.records.keys()) == 1
    account.sync(first)
    account.judge()


def test_more_is_written_in_a_second_that_was_read(account_of: Make) -> None:
    account = account_of("customers")
    account.do(Step("create_customer"))
    naive = Naive(account.emulator, "/customers")
    naive.read()
    account.sync()
    account.do(Step("create_customer"))
    account.emulator.clock.advance(HOUR)
    naive.read()
    assert len(ids(account, "customers") - naive.records.keys()) == 1
    account.judge()


def test_a_record_becomes_visible_after_its_updated_at(account_of: Make) -> None:
    account = account_of("customers")
    naive = Naive(account.emulator, "/customers")
    account.do(Step("create_customer"))
    naive.read()
    account.sync()
    account.do(Step("create_customer", wait=60, late=120))
    naive.read()
    assert len(ids(account, "customers") - naive.records.keys()) == 1
    account.judge()


def test_next_links_and_counts_lag(account_of: Make) -> None:
    account = account_of("plans", is_new=True)
    for number in range(4):
        record = {"id": f"old-{number}", "archived": False, "updated_at": NOW}
        account.actors.store.put("plans", record)

    def append(path: str, query: dict[str, Any]) -> None:
        if path == "/plans" and query["page"] == "2" and query.get("archived", "0") == "0":
            for number in range(2):
                record = {"id": f"new-{number}", "archived": False, "updated_at": NOW}
                account.actors.store.put("plans", record)

    # A table that is read whole has no bookmark to come back to.
    naive = Naive(account.emulator, "/plans")
    account.emulator.on_request = append
    naive.read()
    assert len(naive.records) == 6
    account.emulator.forget()
    for number in range(2):
        account.actors.store.remove("plans", f"new-{number}")
    account.sync(also=append)
    assert len(account.replica.ids("plans")) == 8
    account.judge()


def test_ended_subscriptions_leave_the_list(account_of: Make) -> None:
    account = account_of("subscriptions")
    naive = Naive(account.emulator, "/subscriptions")
    naive.read()
    account.do(Step("cancel_subscription", 0))
    naive.read()
    assert set(naive.column("status").values()) == {"active"}
    account.judge()
    assert "canceled" in here(account, "select id, status from subscriptions").values()


def test_plans_ignore_the_filter_hide_archived_ones_and_use_ids_again(account_of: Make) -> None:
    account = account_of("plans")
    naive = Naive(account.emulator, "/plans")
    naive.read()
    account.do(Step("archive_plan", 0))
    account.do(Step("archive_plan", 1))
    account.do(Step("create_plan", 1, wait=60))
    naive.read()
    assert naive.records["plan-0"]["name"] == here(account, "select id, name from plans")["plan-0"]
    assert "archived" not in naive.records["plan-0"]
    account.judge()
    assert here(account, "select id, archived from plans") == {"plan-0": True, "plan-1": False}


def test_adjustments_have_no_updated_at_and_mirror_transactions(account_of: Make) -> None:
    account = account_of("credit_balance_adjustments", "transactions")
    with pytest.raises(KeyError, match="updated_at"):
        Naive(account.emulator, "/credit_balance_adjustments").read()
    account.do(Step("change_adjustment", 0))
    account.judge()
    sql = (
        "select count(*), count(*) filter (where a.amount = -t.amount) "
        "from credit_balance_adjustments a join transactions t using (id)"
    )
    ((shared, opposite),) = account.replica.query(sql)
    assert shared == opposite == len(ids(account, "credit_balance_adjustments"))


def test_transactions_vanish_without_a_word(account_of: Make) -> None:
    account = account_of("payments", "transactions", "credit_balance_adjustments")
    naive = Naive(account.emulator, "/transactions")
    naive.read()
    seen = len(naive.events())
    account.do(Step("apply_anew", 1))
    naive.read()
    kinds = {event["type"] for event in naive.events()[: len(naive.events()) - seen]}
    assert "transaction.deleted" not in kinds
    assert naive.records.keys() > ids(account, "transactions")
    account.judge()


def test_a_customer_takes_along_what_it_had(account_of: Make) -> None:
    account = account_of("customers", "payments", "transactions")
    naive = Naive(account.emulator, "/payments")
    naive.read()
    account.do(Step("delete_customer", 0))
    naive.read()
    assert naive.records.keys() > ids(account, "payments")
    account.judge()


def test_a_merge_moves_records_without_a_new_updated_at(account_of: Make) -> None:
    account = account_of("customers", "invoices")
    naive = Naive(account.emulator, "/invoices")
    naive.read()
    account.do(Step("merge_customers", 0))
    naive.read()
    truth = {each["id"]: each["customer"] for each in account.actors.store.all("invoices")}
    assert naive.column("customer") != truth
    account.judge()
    assert here(account, "select id, customer from invoices") == truth


def test_a_merge_without_an_event(account_of: Make) -> None:
    account = account_of("customers", "invoices")
    account.do(Step("merge_customers", 0, lost=True))
    truth = {each["id"]: each["customer"] for each in account.actors.store.all("invoices")}
    account.sync()
    assert here(account, "select id, customer from invoices") != truth
    account.judge()
    assert here(account, "select id, customer from invoices") == truth


def test_updated_at_moves_without_an_event(account_of: Make) -> None:
    account = account_of("customers")
    naive = Naive(account.emulator, "/customers")
    seen = naive.events()
    account.do(Step("stamp_many", 1))
    assert naive.events() == seen  # who lives on events never hears of it
    account.judge()


def test_drafts_and_voided_documents_are_in_the_lists(account_of: Make) -> None:
    account = account_of("invoices", "customers", "plans", "subscriptions")
    body = {"customer": 1, "draft": True, "items": [{"unit_cost": 500}]}
    account.actors.write("POST", "/invoices", body)
    made = account.actors.write("POST", "/invoices", body | {"draft": False})
    account.actors.write("POST", f"/invoices/{made['id']}/void")
    naive = Naive(account.emulator, "/invoices")
    naive.read()
    account.judge()
    open_ones = [each for each in naive.records.values() if each["status"] not in UNOWED]
    assert len(open_ones) == len(naive.records) - 2
    aging, largest, _ = run_sample_queries(account.replica.database, "invoiced", from_epoch(NOW))
    (row,) = aging.rows
    assert row[:2] == ("usd", len(open_ones))
    owed = sum(each["balance"] for each in open_ones)
    assert float(sum(amount or 0 for amount in row[2:])) == owed
    assert float(sum(amount for *_, amount in largest.rows)) == owed


UNOWED = {"draft", "voided"}


def test_deleted_events_of_what_is_still_there(account_of: Make) -> None:
    account = account_of("subscriptions", "payments")
    naive = Naive(account.emulator, "/payments")
    account.do(Step("cancel_subscription", 0))
    account.do(Step("void_payment", 1))
    seen = {event["type"] for event in naive.events()}
    assert seen >= {"subscription.deleted", "payment.deleted"}  # which a naive one would obey
    account.judge()
    assert account.replica.query("select id from payments where _deleted_at is not null") == []
    assert account.replica.query("select id from subscriptions where _deleted_at is not null") == []


def test_a_paid_invoice_has_a_paid_event_and_no_updated_event(account_of: Make) -> None:
    account = account_of("invoices")
    naive = Naive(account.emulator, "/invoices")
    seen = {event["id"] for event in naive.events()}
    invoice = account.actors.pick("invoices", 4)
    split = {"type": "invoice", "invoice": invoice["id"], "amount": invoice["balance"]}
    body = {"customer": invoice["customer"], "amount": invoice["balance"], "applied_to": [split]}
    account.actors.write("POST", "/payments", body)
    new = {event["type"] for event in naive.events() if event["id"] not in seen}
    assert "invoice.paid" in new
    assert "invoice.updated" not in new
    account.judge()
    assert here(account, "select id, paid from invoices")[invoice["id"]] is True


def test_metadata_of_a_single_record_is_typed_and_a_list_s_is_not(replicate: Replica) -> None:
    # A naive repair asks for the record itself, and the column then holds both forms.
    record = {"id": 5, "updated_at": NOW, "total": "none", "metadata": {"count": "7"}}

    def reply(path: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        headers = {"Date": "Tue, 14 Nov 2023 22:13:20 GMT"}
        if path != "/invoices":
            return 200, headers, msgspec.json.encode(record | {"metadata": {"count": 7}})
        return 200, headers, msgspec.json.encode([record])

    with HandmadeApi(reply=reply) as api:
        replicate.url = api.url
        assert replicate("invoices")["invoices"].rejected == 1
        record["total"] = 3
        # Too far on for the overlap: it is asked for by its id.
        assert replicate("invoices", overlap=timedelta(0))["invoices"].rejected == 0
    assert replicate.query("select metadata from invoices") == [('{"count":"7"}',)]


def test_events_become_visible_after_their_timestamp(account_of: Make) -> None:
    account = account_of("invoices")
    account.do(Step("delete_document", 9))
    event = account.actors.store.all("events")[-1]
    account.actors.store.hold("events", event["id"])
    account.emulator.clock.advance(120)
    naive = Naive(account.emulator, "/events")
    since = account.emulator.clock.now()
    account.sync()
    assert account.replica.query("select id from invoices where _deleted_at is not null") == []
    account.actors.store.release("events", event["id"])
    account.emulator.clock.advance(60)
    # Who goes on from where the last poll ended does not see it any more.
    assert event["id"] not in {each["id"] for each in naive.events() if each["timestamp"] >= since}
    account.judge()


def test_tasks_and_charges_have_no_filter_but_dates_of_the_company(account_of: Make) -> None:
    account = account_of("tasks", "charges", "refunds")
    account.emulator.account.timezone = "Pacific/Kiritimati"
    naive = Naive(account.emulator, "/tasks")
    naive.read()
    seen = len(account.emulator.requests)
    naive.read()
    assert len(account.emulator.requests) - seen == 2  # the whole list again
    with pytest.raises(TypeError):  # an error instead of a list
        Naive(account.emulator, "/charges").read()
    for step in ("complete_task", "settle_charge", "charge_card", "settle_refund"):
        account.do(Step(step, 1, wait=60))
    account.judge()


def test_a_charge_changes_without_its_payment(account_of: Make) -> None:
    account = account_of("charges", "refunds", "payments")
    naive = Naive(account.emulator, "/payments")
    naive.read()
    account.do(Step("settle_charge", 2, wait=HOUR))
    account.do(Step("settle_refund", 1, wait=HOUR))
    naive.read()
    embedded = {record["charge"]["status"] for record in naive.records.values() if record["charge"]}
    assert embedded == {"succeeded"}
    account.judge()
    assert "failed" in here(account, "select id, status from charges").values()
    assert here(account, "select id, status from refunds") == {1: "pending"}
