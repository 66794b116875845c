"""The connection check names what is wrong."""

import pytest
from pydantic import SecretStr

from invoiced_emulator.protocol.errors import ApiError
from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import ALL_TABLES, TABLE_NAMES, TABLES
from invoiced_pipeline.invoiced.connection_check import (
    Finding,
    check_events,
    check_first_load,
    check_tables,
)
from invoiced_pipeline.invoiced.first_load import expected_seconds
from invoiced_pipeline.invoiced.http.client import InvoicedClient, RetryPolicy
from invoiced_pipeline.windows import from_epoch
from invoiced_pipeline_tests.conftest import NOW, SHORT_RETRIES, customer, invoice


def test_all_is_well(emulator: Emulator, client: InvoicedClient) -> None:
    emulator.store.put_many("customers", [customer(1), customer(2)])
    found = list(check_tables(client, TABLES))
    assert [finding.subject for finding in found] == list(TABLE_NAMES)
    assert all(finding.problem is None for finding in found)
    assert found[0].records == 2


def test_plans_of_both_states_are_counted(emulator: Emulator, client: InvoicedClient) -> None:
    for number, archived in enumerate([True, False, False], start=1):
        record = {"id": f"p{number}", "internal_id": number, "archived": archived}
        emulator.store.put("plans", record)
    (plans,) = [finding for finding in check_tables(client, TABLES) if finding.subject == "plans"]
    assert plans.records == 3


def test_tables_that_the_account_does_not_have_are_no_problem(
    emulator: Emulator, client: InvoicedClient
) -> None:
    emulator.account.features = set()
    emulator.account.forbidden = {"payments"}
    found = {finding.subject: finding for finding in check_tables(client, TABLES)}
    lacking = {subject for subject, finding in found.items() if finding.unavailable}
    assert lacking == {"plans", "subscriptions", "payments"}
    assert not any(finding.problem for finding in found.values())
    assert "subscription_billing" in found["plans"].detail
    assert "You do not have permission to do that" in found["payments"].detail
    assert check_events(client) is None
    emulator.account.forbidden = {"events"}
    events = check_events(client)
    assert events is not None
    assert events.unavailable
    assert "invoiced-pipeline sweep" in events.detail


def test_key_that_can_read_no_table_is_a_problem(
    emulator: Emulator, client: InvoicedClient
) -> None:
    emulator.account.forbidden = set(TABLE_NAMES)
    *_, finding = check_tables(client, TABLES)
    assert (finding.subject, finding.problem) == ("connection", "no table can be read")


@pytest.mark.parametrize(
    ("key", "problem"),
    [("wrong" * 6, "bad key"), ("canceled" * 4, "account cancelled")],
)
def test_key_that_reads_nothing_ends_the_check(emulator: Emulator, key: str, problem: str) -> None:
    emulator.keys["canceled" * 4] = "canceled"
    client = InvoicedClient(emulator.url, SecretStr(key), retry_policy=SHORT_RETRIES)
    (finding,) = check_tables(client, TABLES)
    assert (finding.subject, finding.problem) == ("connection", problem)
    assert key not in finding.detail


def test_host_that_does_not_answer_ends_the_check() -> None:
    retry_policy = RetryPolicy(attempts=1)
    client = InvoicedClient("http://127.0.0.1:1", SecretStr("key"), retry_policy=retry_policy)
    (finding,) = check_tables(client, TABLES)
    assert finding.problem == "host unreachable"


def test_the_first_load_is_counted_from_the_start_date(
    emulator: Emulator, client: InvoicedClient
) -> None:
    since = from_epoch(NOW - 500)
    emulator.store.put_many("customers", [customer(1, NOW - 501), customer(2, NOW - 500)])
    emulator.store.put_many("invoices", [invoice(number, NOW - 1) for number in range(1, 251)])
    found = list(check_tables(client, TABLES, since))
    assert (found[0].records, found[0].detail) == (1, "1 record since 2023-11-14")
    emulator.forget()
    load = check_first_load(client, TABLES, found, since)
    assert load is not None
    assert (load.subject, load.problem, load.records) == ("first load", None, 251)
    # Three pages of invoices, one of each other table; one page was read to measure the time.
    assert load.detail.startswith("251 records in 18 requests, in about 6 s (")
    ((_, path, query, _),) = emulator.requests
    assert (path, query["per_page"]) == ("/invoices", "100")


def test_without_a_readable_table_there_is_no_first_load(client: InvoicedClient) -> None:
    found = [Finding("connection", "bad key", "answered 401")]
    assert check_first_load(client, TABLES, found, None) is None


@pytest.mark.parametrize(
    ("records", "requests", "page_seconds", "seconds"),
    [
        (0, 9, 0.1, 6.075),
        (59_673, 653, 0.1, 14.5),  # measured: 10 s in a running process
        (1_000_000, 10_000, 0.6, 506.0),  # the API is the limit
    ],
)
def test_how_long_a_load_may_take(
    records: int, requests: int, page_seconds: float, seconds: float
) -> None:
    found = expected_seconds(records, requests, page_seconds, 12)
    assert found == pytest.approx(seconds, abs=0.05)


def test_tables_that_are_listed_per_parent_say_how_many_requests_a_first_load_takes(
    emulator: Emulator, client: InvoicedClient
) -> None:
    emulator.store.put_many("customers", [customer(number) for number in range(1, 1201)])
    plan = {"object": "payment_plan", "invoice": 1, "installments": []}
    emulator.store.put("payment_plans", plan | {"id": 4})
    emulator.store.put_many("invoices", [invoice(1, payment_plan=4), invoice(2, payment_plan=None)])
    found = list(check_tables(client, ALL_TABLES))
    said = {finding.subject: finding for finding in found}
    assert said["contacts"].detail == (
        "1,200 requests at the first load, one for each customer; later one for each that changed"
    )
    assert said["payment_plans"].detail.startswith(
        "1 request at the first load, one for each invoice with a payment plan"
    )
    load = check_first_load(client, ALL_TABLES, found, None)
    assert load is not None
    assert load.detail.startswith("1,202 records in 3,62")


def test_an_optional_list_that_the_api_lacks_is_no_problem(
    emulator: Emulator, client: InvoicedClient
) -> None:
    def refuse(path: str, _: object) -> None:
        if path.endswith("/contacts"):
            raise ApiError(404, f"Request was not recognized: GET {path}")

    emulator.store.put("customers", customer(1))
    emulator.on_request = refuse
    said = {finding.subject: finding for finding in check_tables(client, ALL_TABLES)}
    assert said["contacts"].unavailable
    assert not said["payment_sources"].unavailable
