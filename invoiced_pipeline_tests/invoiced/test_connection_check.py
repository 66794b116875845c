"""`check`: which of the things that can be wrong it is."""

import pytest
from pydantic import SecretStr

from invoiced_pipeline.catalog import TABLE_NAMES, TABLES
from invoiced_pipeline.emulator.server import Emulator
from invoiced_pipeline.invoiced.client import InvoicedClient, Patience
from invoiced_pipeline.invoiced.connection_check import check_tables
from invoiced_pipeline_tests.conftest import IMPATIENT, customer


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


def test_feature_that_is_not_enabled_is_said_per_table(
    emulator: Emulator, client: InvoicedClient
) -> None:
    emulator.account.features = set()
    problems = {
        finding.subject: finding for finding in check_tables(client, TABLES) if finding.problem
    }
    assert set(problems) == {"plans", "subscriptions"}
    assert problems["plans"].problem == "feature not enabled"
    assert "subscription_billing" in problems["plans"].detail


@pytest.mark.parametrize(
    ("key", "problem"),
    [("wrong" * 6, "bad key"), ("canceled" * 4, "account cancelled")],
)
def test_key_that_opens_nothing_ends_the_check(emulator: Emulator, key: str, problem: str) -> None:
    emulator.keys["canceled" * 4] = "canceled"
    client = InvoicedClient(emulator.url, SecretStr(key), patience=IMPATIENT)
    (finding,) = check_tables(client, TABLES)
    assert (finding.subject, finding.problem) == ("connection", problem)
    assert key not in finding.detail


def test_host_that_does_not_answer_ends_the_check() -> None:
    patience = Patience(attempts=1)
    client = InvoicedClient("http://127.0.0.1:1", SecretStr("key"), patience=patience)
    (finding,) = check_tables(client, TABLES)
    assert finding.problem == "host unreachable"
