"""Whatever happens while an account is read, the next quiet sync makes the replica right."""

import itertools
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import ALL_TABLES
from invoiced_pipeline_tests.change.operations import OPERATIONS
from invoiced_pipeline_tests.change.simulated_account import (
    LATEST,
    SimulatedAccount,
    Step,
    Template,
)
from invoiced_pipeline_tests.conftest import NOW, empty
from invoiced_pipeline_tests.examples import examples

AHEAD = 2_000_000_000
"""A clock of the service that is years ahead of this machine's; `NOW` is years behind it."""

CLOCKS = {
    "behind": (NOW, True),
    "ahead": (AHEAD, True),
    "behind, not shown": (NOW, False),
    "ahead, not shown": (AHEAD, False),
}

MOST_NUMBER = 40
WAITS = (0, 0, 1, 30)
LATE = (0, 0, 5, 60, LATEST)
LOST = (False, False, False, True)
PAUSES = (1, 240, 600, 90_000)
LAST_REQUEST = 75
KINDS = ("sync", "sync", "sync", "full", "sweep", "stumbles", "dies")
"""What stories are made of; values that are there twice are drawn twice as often."""

STEPS = st.builds(
    Step,
    st.sampled_from(sorted(OPERATIONS)),
    number=st.integers(0, MOST_NUMBER),
    wait=st.sampled_from(WAITS),
    late=st.sampled_from(LATE),
    lost=st.sampled_from(LOST),
)
REQUESTS = st.integers(0, LAST_REQUEST)


class ChangingAccount(RuleBasedStateMachine):
    """Actors, syncs and sweeps in any order; in the end the replica must be right."""

    make: Callable[[], SimulatedAccount]

    def __init__(self) -> None:
        super().__init__()
        self.account = self.make()
        self.queued: dict[int, list[Step]] = defaultdict(list)

    @initialize(is_new=st.sampled_from([False, False, True]))
    def begin(self, is_new: bool) -> None:
        self.account.begin(is_new=is_new)

    @rule(step=STEPS)
    def something_happens(self, step: Step) -> None:
        self.account.do(step)

    @rule(some=st.lists(STEPS, min_size=2, max_size=4))
    def much_happens(self, some: list[Step]) -> None:
        for step in some:
            self.account.do(step)

    @rule(seconds=st.sampled_from(PAUSES))
    def time_passes(self, seconds: int) -> None:
        self.account.emulator.clock.advance(seconds)

    @rule(step=STEPS, request=REQUESTS)
    def something_will_happen_while_it_is_read(self, step: Step, request: int) -> None:
        self.queued[request].append(step)

    @rule(some=st.lists(st.tuples(STEPS, REQUESTS), min_size=2, max_size=4))
    def much_will_happen_while_it_is_read(self, some: list[tuple[Step, int]]) -> None:
        for step, request in some:
            self.queued[request].append(step)

    @rule(kind=st.sampled_from(KINDS), at=REQUESTS)
    def it_is_read(self, kind: str, at: int) -> None:
        queued, self.queued = self.queued, defaultdict(list)
        if kind == "sweep":
            self.account.sweep(queued)
        elif kind == "full":
            self.account.sync_fully(queued)
        elif kind == "dies":
            self.account.sync_that_dies(queued)
        elif kind == "stumbles":
            table = ALL_TABLES[at % len(ALL_TABLES)]
            self.account.sync_that_stumbles(table.path.partition("{")[0], queued)
        else:
            self.account.sync(queued)
            self.account.judge_sync()

    def teardown(self) -> None:
        self.account.judge()


def set_clock(emulator: Emulator, name: str) -> None:
    at, emulator.account.date_header = CLOCKS[name]
    emulator.clock.set(at)


def machine(
    emulator: Emulator,
    folder: Path,
    clock: str,
    account: type[SimulatedAccount] = SimulatedAccount,
    *,
    rules: type[ChangingAccount] = ChangingAccount,
    names: Sequence[str] = tuple(table.name for table in ALL_TABLES),
) -> type[ChangingAccount]:
    """The machine over one emulator; each of its examples has a warehouse of its own."""
    numbers = itertools.count()
    template = Template(folder / "template")

    def make(_: ChangingAccount) -> SimulatedAccount:
        empty(emulator)
        set_clock(emulator, clock)
        return account(emulator, folder / str(next(numbers)), template, names)

    return type("Machine", (rules,), {"make": make})


def run(machine: type[ChangingAccount], examples: int, steps: int, **options: Any) -> None:
    """Without shrinking, which would take minutes: the steps that failed are few as they are."""
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            phases=(Phase.explicit, Phase.reuse, Phase.generate),
            suppress_health_check=list(HealthCheck),
            **options,
        ),
    )


def test_nothing_is_lost_or_doubled_in_any_story(emulator: Emulator, tmp_path: Path) -> None:
    run(machine(emulator, tmp_path, "behind"), 3, 12, derandomize=True, database=None)


@pytest.mark.slow
@pytest.mark.parametrize("clock", CLOCKS)
def test_nothing_is_lost_or_doubled_in_many_stories(
    emulator: Emulator, tmp_path: Path, clock: str
) -> None:
    stories, steps = examples(50, brief=1), examples(20, brief=12)
    run(machine(emulator, tmp_path, clock), stories, steps)


@pytest.mark.parametrize("clock", ["ahead", "behind, not shown", "ahead, not shown"])
def test_deletions_are_seen_with_wrong_clocks(
    emulator: Emulator, tmp_path: Path, clock: str
) -> None:
    set_clock(emulator, clock)
    account = SimulatedAccount(emulator, tmp_path, tables=("invoices", "payments", "transactions"))
    account.begin()
    for step in (Step("void_payment", 1), Step("apply_anew", 0), Step("delete_document", 9)):
        account.do(Step(step.operation, step.number, wait=60))
        account.judge()
    account.do(Step("delete_transaction", 16, wait=60, lost=True))
    account.judge()
    assert account.refused == []
    assert (
        len(account.replica.query("select id from transactions where _deleted_at is not null")) > 3
    )
