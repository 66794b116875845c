"""Stories that random ones led to: a page is read before a change, and loaded after its mark."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event
from typing import Any
from unittest import mock

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.settings import Deletions
from invoiced_pipeline_tests.change.world import Step, World

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
def world(emulator: Emulator, tmp_path: Path, request: pytest.FixtureRequest) -> World:
    world = World(emulator, tmp_path, tables=("payments", "transactions", ADJUSTMENTS[1:]))
    deletions: Deletions = request.param
    world.deletions = deletions
    world.begin()
    emulator.clock.advance(3600)
    return world


def alone(world: World) -> int:
    """How many adjustments are there without a transaction."""
    sql = (
        "select count(*) from credit_balance_adjustments a where a._deleted_at is null and not "
        "exists (select 1 from transactions t where t.id = a.id and t._deleted_at is null)"
    )
    return world.replica.query(sql)[0][0]


def test_an_adjustment_is_loaded_after_its_transaction_was_marked(world: World) -> None:
    world.do(Step("prepay", 2))
    world.sync_well()
    with read_in_this_order(ADJUSTMENTS, PAYMENTS, TRANSACTIONS):
        world.sync({(PAYMENTS, 0): [Step("unapply", -1, wait=60)]})
    assert alone(world) == 1
    world.judge()


def test_an_adjustment_is_loaded_of_a_transaction_that_never_was(world: World) -> None:
    steps = {
        (ADJUSTMENTS, 0): [Step("prepay", 2)],
        (PAYMENTS, 0): [Step("unapply", -1, wait=60)],
    }
    with read_in_this_order(ADJUSTMENTS, PAYMENTS, TRANSACTIONS):
        world.sync(steps)
    assert alone(world) == 1
    world.judge()


def test_the_payment_is_gone_before_the_next_sync(world: World) -> None:
    world.do(Step("prepay", 2))
    world.sync_well()
    with read_in_this_order(ADJUSTMENTS, PAYMENTS, TRANSACTIONS):
        world.sync({(PAYMENTS, 0): [Step("unapply", -1, wait=60)]})
    world.do(Step("take_back_payment", -1, wait=60))
    assert alone(world) == 1
    world.judge()


def test_a_payment_is_gone_that_was_never_loaded_but_its_transaction_was(world: World) -> None:
    with read_in_this_order(PAYMENTS, TRANSACTIONS, ADJUSTMENTS):
        world.sync({(TRANSACTIONS, 0): [Step("prepay", 2)]})
    made = world.people.pick("payments", -1)
    assert made["id"] not in world.replica.ids("payments")
    assert made["applied_to"][0]["id"] in world.replica.ids("transactions")
    world.do(Step("take_back_payment", -1, wait=60))
    world.judge()
