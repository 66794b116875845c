"""Whatever happens while an account is read: every version that a load has read is kept, once."""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from invoiced_emulator.calls.call import RequestHook
from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import ALL_TABLES, Table
from invoiced_pipeline.replication.decode.batches import Batcher
from invoiced_pipeline.replication.replication import Replication
from invoiced_pipeline.replication.report import Mode, TableReport
from invoiced_pipeline.warehouse.database import Session
from invoiced_pipeline.warehouse.history_views import history_query
from invoiced_pipeline_tests.change.simulated_account import (
    Meanwhile,
    SimulatedAccount,
    Step,
    WrongReplicaError,
    seconds,
)
from invoiced_pipeline_tests.change.test_completeness import machine, run
from invoiced_pipeline_tests.examples import examples

KEPT = tuple(table for table in ALL_TABLES if table.can_keep_history)

Versions = dict[str, set[tuple[Any, int | None]]]
"""Primary key and `updated_at` of versions, by table."""


class RecordedAccount(SimulatedAccount):
    """An account whose replica keeps the history of every table that can have one.

    Attributes:
        seen: The versions that loads have read so far.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.replica.tables |= {table.name: {"history": True} for table in KEPT}
        self.seen: Versions = defaultdict(set)

    def begin(self, *, is_new: bool = False) -> None:
        super().begin(is_new=is_new)
        if not is_new and not self.seen:  # from the template
            for table in KEPT:
                sql = f"select {table.primary_key}, updated_at from {table.name}"
                found = ((record, seconds(time)) for record, time in self.replica.query(sql))
                self.seen[table.name].update(found)

    def sync(
        self,
        meanwhile: Meanwhile | None = None,
        also: RequestHook | None = None,
        mode: Mode = "sync",
    ) -> dict[str, TableReport]:
        with self._noting():
            return super().sync(meanwhile, also, mode)

    def sweep(self, meanwhile: Meanwhile | None = None) -> None:
        with self._noting():
            super().sweep(meanwhile)

    def judge_sync(self) -> None:
        super().judge_sync()
        self.judge_history()

    def judge(self) -> None:
        super().judge()
        self.judge_history()

    def judge_history(self) -> None:
        kept = [table for table in KEPT if table.name in self.tables]
        with self.replica.database.session(self.replica.dataset, read_only=True) as session:
            problems = [problem for table in kept for problem in self._problems(table, session)]
        if problems:
            raise WrongReplicaError("\n".join(problems))

    def _problems(self, table: Table, session: Session) -> Iterator[str]:
        key = table.primary_key
        listed = [key, "updated_at", "_deleted_at", "valid_from", "valid_to", "is_current"]
        rows = session.rows(
            f"select * from ({history_query(table, listed)}) as h order by 1, 2 nulls first"
        )
        keys = [(record, seconds(time)) for record, time, *_ in rows]
        if sorted(keys, key=str) != sorted(self.seen[table.name], key=str):
            yield f"{table.name}: {set(keys) ^ self.seen[table.name]} or a version twice"
        for one, other in pairwise(rows):
            is_same = one[0] == other[0]
            if is_same and one[4] != other[3] and not one[2] == one[4] < other[3]:
                yield f"{table.name} {one[0]}: from {one[3]} to {one[4]}, then from {other[3]}"
        newest = {row[0]: row for row in rows}
        present = session.rows(f"select {key}, updated_at, _deleted_at from {table.name}")
        for record, time, deleted_at in present:
            row = newest[record]
            if row[1] == time and row[5] != (deleted_at is None):
                yield f"{table.name} {record}: {row} for a row deleted at {deleted_at}"

    @contextmanager
    def _noting(self) -> Iterator[None]:
        """Notes the versions that a run reads, once it has loaded them."""
        read: Versions = defaultdict(set)
        decode, end_package = Batcher.decode, Replication.end_package

        def noted(batcher: Batcher, page: Any) -> list[Any]:
            records = decode(batcher, page)
            table = batcher.table
            if table.keeps_history:
                versions = ((getattr(each, table.primary_key), each.updated_at) for each in records)
                read[table.name].update(versions)
            return records

        def keep(*_: Any) -> None:
            for name, versions in read.items():
                self.seen[name] |= versions

        def loaded(replication: Replication) -> None:
            keep()
            end_package(replication)

        with (
            mock.patch.object(Batcher, "decode", noted),
            mock.patch.object(Replication, "end_package", loaded),
        ):
            yield
        keep()


def test_every_version_that_a_load_has_read_is_kept(emulator: Emulator, tmp_path: Path) -> None:
    stories = machine(emulator, tmp_path, "behind", RecordedAccount)
    run(stories, 1, 10, derandomize=True, database=None)


@pytest.mark.slow
@pytest.mark.parametrize("clock", ["behind", "ahead, not shown"])
def test_every_version_is_kept_in_many_stories(
    emulator: Emulator, tmp_path: Path, clock: str
) -> None:
    stories = machine(emulator, tmp_path, clock, RecordedAccount)
    run(stories, examples(30, brief=1), examples(20, brief=12))


def test_versions_that_a_record_passes_through_while_it_is_read(
    emulator: Emulator, tmp_path: Path
) -> None:
    """A record that moves to a later page is read twice in one load: both versions stay."""
    account = RecordedAccount(emulator, tmp_path, tables=("invoices", "payments"))
    account.begin(is_new=True)
    steps: Meanwhile = {("/invoices", at): [Step("pay", at, wait=1)] for at in range(1, 6)}
    account.sync(steps)
    account.judge_history()
    assert len(account.seen["invoices"]) > len(account.replica.ids("invoices"))
