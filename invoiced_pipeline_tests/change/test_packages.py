"""Whatever happens while a first load is read in packages, or after it died, nothing is lost."""

from pathlib import Path

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule

from invoiced_emulator.server import Emulator
from invoiced_pipeline_tests.change.test_completeness import CLOCKS, ChangingAccount, machine, run
from invoiced_pipeline_tests.change.test_history import RecordedAccount
from invoiced_pipeline_tests.examples import examples

TABLES = ("customers", "invoices", "payments", "transactions", "notes", "plans", "contacts")


class FirstLoads(ChangingAccount):
    """The account is new, and its first load is read in packages, which a death cuts short."""

    @initialize(is_new=st.just(True))
    def begin(self, is_new: bool) -> None:
        super().begin(is_new)

    @rule(records=st.sampled_from([1, 6, 20]), loads=st.integers(0, 6))
    def packages_change(self, records: int, loads: int) -> None:
        self.account.most_records, self.account.loads = records, loads


class InPackages(RecordedAccount):
    """An account whose first load is many packages, and which dies after the third."""

    def begin(self, *, is_new: bool = False) -> None:
        super().begin(is_new=is_new)
        self.most_records, self.loads = 12, 3


def test_nothing_is_lost_or_doubled_in_packages(emulator: Emulator, tmp_path: Path) -> None:
    stories = machine(emulator, tmp_path, "behind", InPackages, FirstLoads)
    run(stories, 2, 8, derandomize=True, database=None)


@pytest.mark.slow
@pytest.mark.parametrize("clock", CLOCKS)
def test_nothing_is_lost_or_doubled_in_many_packages(
    emulator: Emulator, tmp_path: Path, clock: str
) -> None:
    stories, steps = examples(40, brief=1), examples(16, brief=12)
    run(machine(emulator, tmp_path, clock, InPackages, FirstLoads), stories, steps)
