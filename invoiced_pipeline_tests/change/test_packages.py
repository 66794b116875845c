"""Whatever happens while a first load is read in packages, or after it died, nothing is lost."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import ALL_TABLES
from invoiced_pipeline_tests.change.simulated_account import Step
from invoiced_pipeline_tests.change.test_completeness import (
    REQUESTS,
    STEPS,
    ChangingAccount,
    machine,
    run,
)
from invoiced_pipeline_tests.change.test_history import RecordedAccount
from invoiced_pipeline_tests.examples import examples


class InterruptedFirstLoads(ChangingAccount):
    """The first load of an account is read in packages, and dies after some of them."""

    @initialize(
        is_new=st.just(True),
        some=st.lists(st.tuples(STEPS, REQUESTS), min_size=1, max_size=4),
        loads=st.integers(0, 5),
    )
    def begin(self, is_new: bool, some: list[tuple[Step, int]], loads: int) -> None:
        super().begin(is_new)
        self.much_will_happen_while_it_is_read(some)
        self.account.most_records, self.account.loads = 12, loads
        self.it_is_read("dies", 0)

    @rule(records=st.sampled_from([1, 6, 20, None]), loads=st.integers(0, 5))
    def packages_change(self, records: int | None, loads: int) -> None:
        self.account.most_records, self.account.loads = records, loads


SOME = ("customers", "invoices", "payments", "transactions", "credit_balance_adjustments")


def interrupted(
    emulator: Emulator, folder: Path, clock: str, names: Sequence[str] = SOME
) -> type[ChangingAccount]:
    rules = InterruptedFirstLoads
    return machine(emulator, folder, clock, RecordedAccount, rules=rules, names=names)


def test_nothing_is_lost_or_doubled_in_packages(emulator: Emulator, tmp_path: Path) -> None:
    options: dict[str, Any] = {"derandomize": True, "database": None}
    run(interrupted(emulator, tmp_path, "behind"), 1, 6, **options)


@pytest.mark.slow
@pytest.mark.parametrize(
    "clock",
    [
        "behind",
        *(
            pytest.param(clock, marks=pytest.mark.random)
            for clock in ("ahead", "behind, not shown", "ahead, not shown")
        ),
    ],
)
def test_nothing_is_lost_or_doubled_in_many_packages(
    emulator: Emulator, tmp_path: Path, clock: str
) -> None:
    stories, steps = examples(40, brief=1), examples(16, brief=12)
    names = [table.name for table in ALL_TABLES]
    run(interrupted(emulator, tmp_path, clock, names), stories, steps)
