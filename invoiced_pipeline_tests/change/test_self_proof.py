"""The harness notices what it is for: without any one of these parts it turns red."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from dlt import Pipeline

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import Table, table
from invoiced_pipeline.replication import source
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.decode.batches import Batcher
from invoiced_pipeline.replication.decode.child_rows import ChildRows
from invoiced_pipeline.replication.deletions.feed import DeletionFeed
from invoiced_pipeline.replication.deletions.vanished_transactions import VanishedTransactions
from invoiced_pipeline.replication.sweep.table_sweep import TableSweep
from invoiced_pipeline_tests.change.simulated_account import (
    LATEST,
    SimulatedAccount,
    Step,
    WrongReplicaError,
)
from invoiced_pipeline_tests.conftest import empty

HOUR = 3600


def a_commit_becomes_visible_late(account: SimulatedAccount) -> None:
    account.sync()
    account.do(Step("create_customer", wait=30, late=LATEST))
    account.judge()


def a_subscription_is_cancelled(account: SimulatedAccount) -> None:
    account.do(Step("cancel_subscription", 0, wait=HOUR))
    account.judge()


def a_transaction_comes_twice_in_one_sync(account: SimulatedAccount) -> None:
    for number in range(5):
        account.do(Step("change_adjustment", number, wait=60))
    account.sync({("/transactions", 1): [Step("change_adjustment", 0, wait=60)]})
    account.judge_sync()


def an_invoice_comes_twice_with_fewer_lines(account: SimulatedAccount) -> None:
    for step in (Step("change_lines", 19), *(Step("rename_document", at) for at in (0, 3, 6))):
        account.do(Step(step.operation, step.number, wait=HOUR))
    account.sync({("/invoices", 1): [Step("change_lines", 9, wait=1)]})
    account.judge_sync()


def all_lines_are_removed(account: SimulatedAccount) -> None:
    account.do(Step("change_lines", 4, wait=HOUR))
    account.judge()


def an_older_warehouse_is_put_back(account: SimulatedAccount) -> None:
    older = account.kept()
    account.do(Step("create_customer", wait=HOUR))
    account.emulator.clock.advance(HOUR)  # beyond the overlap
    account.sync()
    account.put_back(older)
    account.judge()


def an_event_is_lost(account: SimulatedAccount) -> None:
    account.do(Step("delete_document", 9, wait=HOUR, lost=True))
    account.judge()


def an_invoice_is_deleted(account: SimulatedAccount) -> None:
    account.do(Step("delete_document", 9, wait=HOUR))
    account.judge()


def a_payment_is_applied_anew(account: SimulatedAccount) -> None:
    account.do(Step("apply_anew", 1, wait=HOUR))
    account.judge()


def customers_are_merged(account: SimulatedAccount) -> None:
    account.do(Step("merge_customers", 0, wait=HOUR))
    account.judge()


@contextmanager
def without_parameters(of: Table) -> Iterator[None]:
    """A table's list is asked for as it is by default."""
    before = of.list_params
    object.__setattr__(of, "list_params", ())
    try:
        yield
    finally:
        object.__setattr__(of, "list_params", before)


@contextmanager
def without_tombstones() -> Iterator[None]:
    """An empty array says nothing to the merge."""
    rows = ChildRows.rows

    def silent(children: ChildRows, parents: Any, superseded: Any, **_: Any) -> Any:
        return rows(children, parents, superseded, is_new=True)

    with mock.patch.object(ChildRows, "rows", silent):
        yield


@contextmanager
def without_overlap(account: SimulatedAccount) -> Iterator[None]:
    account.overlap = timedelta(0)
    yield


def patched(
    of: type, name: str, value: Any
) -> Callable[[SimulatedAccount], AbstractContextManager[Any]]:
    return lambda _: mock.patch.object(of, name, value)


@dataclass(frozen=True)
class Part:
    """A part of the replication: how it is switched off, and what then goes wrong.

    Attributes:
        off: Switches it off.
        scenario: What shows it.
        tables: Those that it takes.
        error: A word of what is then found.
    """

    off: Callable[[SimulatedAccount], AbstractContextManager[Any]]
    scenario: Callable[[SimulatedAccount], None]
    tables: tuple[str, ...]
    error: str


MONEY = ("customers", "payments", "transactions", "credit_balance_adjustments")
PARTS = {
    "the overlap": Part(
        without_overlap, a_commit_becomes_visible_late, ("customers",), "not in the replica"
    ),
    "all=1": Part(
        lambda _: without_parameters(table("subscriptions")),
        a_subscription_is_cancelled,
        ("subscriptions",),
        "status is 'active'",
    ),
    "deduplication": Part(
        lambda _: mock.patch.dict(source._MERGE, deduplicated=True),
        a_transaction_comes_twice_in_one_sync,
        ("transactions",),
        "2 rows",
    ),
    "the newest version's children": Part(
        patched(Batcher, "_newest_versions", lambda batcher: batcher._pending),
        an_invoice_comes_twice_with_fewer_lines,
        ("invoices",),
        "another version",
    ),
    "tombstones": Part(
        lambda _: without_tombstones(), all_lines_are_removed, ("invoices",), "invoices__items"
    ),
    "pipeline.drop()": Part(
        patched(Pipeline, "drop", lambda pipeline, **_: pipeline),
        an_older_warehouse_is_put_back,
        ("customers",),
        "not in the replica",
    ),
    "the sweep": Part(
        patched(TableSweep, "_compare", lambda *_: None),
        an_event_is_lost,
        ("invoices",),
        "gone, not marked",
    ),
    "the events feed": Part(
        patched(DeletionFeed, "_take", lambda *_: None),
        an_invoice_is_deleted,
        ("invoices",),
        "gone, not marked",
    ),
    "a look at the payments' transactions": Part(
        patched(VanishedTransactions, "settle", lambda _: None),
        a_payment_is_applied_anew,
        MONEY,
        "gone, not marked",
    ),
    "what a merge moved": Part(
        patched(DatasetState, "survivors", lambda *_: []),
        customers_are_merged,
        ("customers", "invoices"),
        "customer is",
    ),
}


MORE = ("the events feed", "a look at the payments' transactions", "what a merge moved")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] if name in MORE else []) for name in PARTS],
)
def test_without_this_part_the_harness_turns_red(
    emulator: Emulator, tmp_path: Path, name: str
) -> None:
    part = PARTS[name]

    def play(folder: str, *, off: bool) -> None:
        empty(emulator)
        account = SimulatedAccount(emulator, tmp_path / folder, tables=part.tables)
        with part.off(account) if off else nullcontext():
            account.begin()
            account.emulator.clock.advance(HOUR)
            populated = len(account.refused)
            part.scenario(account)
        assert account.refused[populated:] == []

    play("on", off=False)
    with pytest.raises(WrongReplicaError) as caught:
        play("off", off=True)
    assert part.error in str(caught.value)
