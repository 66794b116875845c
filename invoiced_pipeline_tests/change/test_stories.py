"""Stories that random ones led to: changes between two requests of a sync or a sweep."""

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Semaphore
from typing import Any
from unittest import mock

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.invoiced.http.client import InvoicedClient, Params
from invoiced_pipeline.settings import Deletions
from invoiced_pipeline_tests.change.simulated_account import SimulatedAccount, Step

PAYMENTS = "/payments"
TRANSACTIONS = "/transactions"
ADJUSTMENTS = "/credit_balance_adjustments"

_PATIENCE = 60
"""Seconds after which a list is asked for in any case: then the test fails instead of hanging."""


@contextmanager
def read_in_this_order(*paths: str) -> Iterator[None]:
    """No list is asked for before the one named before it has answered once."""
    answered = {path: Event() for path in paths}
    before = {path: answered[earlier] for earlier, path in itertools.pairwise(paths)}
    asked = InvoicedClient.list_page

    def list_page(client: InvoicedClient, path: str, *arguments: Any) -> Any:
        if path in before:
            before[path].wait(_PATIENCE)
        answer = asked(client, path, *arguments)
        if path in answered:
            answered[path].set()
        return answer

    with mock.patch.object(InvoicedClient, "list_page", list_page):
        yield


@pytest.fixture(params=["mark", pytest.param("remove", marks=pytest.mark.slow)])
def account(emulator: Emulator, tmp_path: Path, request: pytest.FixtureRequest) -> SimulatedAccount:
    account = SimulatedAccount(
        emulator, tmp_path, tables=("payments", "transactions", ADJUSTMENTS[1:])
    )
    deletions: Deletions = request.param
    account.deletions = deletions
    account.begin()
    emulator.clock.advance(3600)
    return account


def alone(account: SimulatedAccount) -> int:
    """How many adjustments are there without a transaction."""
    sql = (
        "select count(*) from credit_balance_adjustments a where a._deleted_at is null and not "
        "exists (select 1 from transactions t where t.id = a.id and t._deleted_at is null)"
    )
    return account.replica.query(sql)[0][0]


def test_an_adjustment_is_loaded_after_its_transaction_was_marked(
    account: SimulatedAccount,
) -> None:
    account.do(Step("prepay", 2))
    account.sync_well()
    with read_in_this_order(ADJUSTMENTS, PAYMENTS, TRANSACTIONS):
        account.sync({(PAYMENTS, 0): [Step("unapply", -1, wait=60)]})
    assert alone(account) == 1
    account.judge()


def test_an_adjustment_is_loaded_of_a_transaction_that_never_was(account: SimulatedAccount) -> None:
    steps = {
        (ADJUSTMENTS, 0): [Step("prepay", 2)],
        (PAYMENTS, 0): [Step("unapply", -1, wait=60)],
    }
    with read_in_this_order(ADJUSTMENTS, PAYMENTS, TRANSACTIONS):
        account.sync(steps)
    assert alone(account) == 1
    account.judge()


def test_the_payment_is_gone_before_the_next_sync(account: SimulatedAccount) -> None:
    account.do(Step("prepay", 2))
    account.sync_well()
    with read_in_this_order(ADJUSTMENTS, PAYMENTS, TRANSACTIONS):
        account.sync({(PAYMENTS, 0): [Step("unapply", -1, wait=60)]})
    account.do(Step("take_back_payment", -1, wait=60))
    assert alone(account) == 1
    account.judge()


def test_a_payment_is_gone_that_was_never_loaded_but_its_transaction_was(
    account: SimulatedAccount,
) -> None:
    with read_in_this_order(PAYMENTS, TRANSACTIONS, ADJUSTMENTS):
        account.sync({(TRANSACTIONS, 0): [Step("prepay", 2)]})
    made = account.actors.pick("payments", -1)
    assert made["id"] not in account.replica.ids("payments")
    assert made["applied_to"][0]["id"] in account.replica.ids("transactions")
    account.do(Step("take_back_payment", -1, wait=60))
    account.judge()


def test_an_adjustment_changes_after_its_page_and_before_the_last_look_at_the_front(
    account: SimulatedAccount,
) -> None:
    for at in range(4):
        account.do(Step("adjust_credit", at))
    change = Step("change_adjustment", -1, wait=1)
    account.sync({(ADJUSTMENTS, 2): [change]})
    account.judge_sync()
    account.judge()


def test_an_invoice_leaves_a_crowded_second_between_its_page_and_the_list_by_page_number(
    emulator: Emulator, tmp_path: Path
) -> None:
    account = SimulatedAccount(emulator, tmp_path, tables=("invoices",))
    account.begin()
    emulator.clock.advance(3600)
    account.do(Step("rename_document", 0))
    account.do(Step("stamp_many", 5, wait=1))  # four invoices in one second
    with read_last_by_number("/invoices", lambda: account.do(Step("rename_document", 3, wait=1))):
        account.sync()
    account.judge_sync()
    account.judge()


@contextmanager
def read_last_by_number(path: str, then: Callable[[], None]) -> Iterator[None]:
    """A list is asked for by page number after three other pages of it, and after `then`."""
    answered, is_first = Semaphore(0), True
    asked = InvoicedClient.list_page

    def list_page(client: InvoicedClient, asked_path: str, params: Params, *rest: Any) -> Any:
        nonlocal is_first
        is_by_number = asked_path == path and "sort" not in dict(params)
        if is_by_number and is_first:
            is_first = False
            for _ in range(3):
                answered.acquire(timeout=_PATIENCE)
            then()
        answer = asked(client, asked_path, params, *rest)
        if asked_path == path:
            answered.release()
        return answer

    with mock.patch.object(InvoicedClient, "list_page", list_page):
        yield
    assert not is_first


@pytest.mark.parametrize("step", ["add_contact", "save_source", "add_pending_line"])
def test_a_sweep_brings_what_a_lost_event_told_of_since_the_last_sync(
    emulator: Emulator, tmp_path: Path, step: str
) -> None:
    tables = ("customers", "contacts", "payment_sources", "pending_line_items")
    account = SimulatedAccount(emulator, tmp_path, tables=tables)
    account.begin()
    account.do(Step(step, 4, wait=30, lost=True))
    account.sweep()
    account.judge()
