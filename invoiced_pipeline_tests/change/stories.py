"""Stories by number: the same number always gives the same story.

    python -m invoiced_pipeline_tests.change.stories 1 200
    python -m invoiced_pipeline_tests.change.stories 7 26 --warehouse postgres

plays them with all tables and histories on, one after another, and prints a line about each. What
happened in a story that fails is printed, too. Hypothesis draws other stories in the slow tests.
"""

import random
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer

from invoiced_emulator.protocol.clock import Clock
from invoiced_emulator.server import Emulator
from invoiced_pipeline_tests import library_caches
from invoiced_pipeline_tests.change.operations import OPERATIONS
from invoiced_pipeline_tests.change.simulated_account import Step
from invoiced_pipeline_tests.change.test_completeness import (
    CLOCKS,
    KINDS,
    LAST_REQUEST,
    LATE,
    LOST,
    MOST_NUMBER,
    PAUSES,
    WAITS,
    ChangingAccount,
    machine,
)
from invoiced_pipeline_tests.change.test_history import RecordedAccount
from invoiced_pipeline_tests.conftest import NOW
from invoiced_pipeline_tests.warehouses import CHOICE, SERVER, Kind


class Story:
    """The story with one number.

    Attributes:
        told: What has happened so far.
    """

    def __init__(self, number: int, steps: int) -> None:
        self._chance = random.Random(number)  # noqa: S311 - the same story for the same number
        self._steps = steps
        self.told: list[str] = []

    def play(self, account: ChangingAccount) -> None:
        """Has the story happen, and judges what is left of it.

        Raises:
            WrongReplicaError: The replica is not as it has to be.
        """
        chance = self._chance
        self._do(account.begin, is_new=chance.choice((False, False, True)))
        scenes: tuple[Callable[[ChangingAccount], None], ...] = (
            lambda on: self._do(on.something_happens, step=self._step()),
            lambda on: self._do(on.much_happens, some=self._several(self._step)),
            lambda on: self._do(on.time_passes, seconds=chance.choice(PAUSES)),
            lambda on: self._do(
                on.something_will_happen_while_it_is_read,
                step=self._step(),
                request=self._request(),
            ),
            lambda on: self._do(
                on.much_will_happen_while_it_is_read,
                some=self._several(lambda: (self._step(), self._request())),
            ),
            lambda on: self._do(on.it_is_read, kind=chance.choice(KINDS), at=self._request()),
        )
        for _ in range(self._steps):
            chance.choice(scenes)(account)
        account.teardown()

    def _do(self, happening: Callable[..., None], **values: object) -> None:
        self.told.append(f"{getattr(happening, '__name__', happening)} {values}")
        happening(**values)

    def _step(self) -> Step:
        chance = self._chance
        return Step(
            chance.choice(sorted(OPERATIONS)),
            number=chance.randint(0, MOST_NUMBER),
            wait=chance.choice(WAITS),
            late=chance.choice(LATE),
            lost=chance.choice(LOST),
        )

    def _several(self, draw: Callable[[], object]) -> list[object]:
        return [draw() for _ in range(self._chance.randint(2, 4))]

    def _request(self) -> int:
        return self._chance.randint(0, LAST_REQUEST)


def main(
    first: int,
    last: int,
    warehouse: Annotated[str, typer.Option(help="`duckdb` or `postgres`.")] = "duckdb",
    steps: Annotated[int, typer.Option(help="Steps of a story.")] = 20,
) -> None:
    """Plays the stories; the exit code is 1 if one of them failed."""
    kinds: dict[str, Kind] = {"duckdb": "duckdb", "postgres": "postgres"}
    CHOICE.kind = kinds[warehouse]
    library_caches.install()
    failed = 0
    with _machines() as machine_of:
        for number in range(first, last + 1):
            clock = list(CLOCKS)[number % len(CLOCKS)]
            story, began = Story(number, steps), time.process_time()
            result = "ok"
            try:
                story.play(machine_of(clock)())
            except Exception as error:  # noqa: BLE001 - the other stories go on
                failed += 1
                result = "\n".join(("failed", *story.told, f"{type(error).__name__}: {error}"))
            used = time.process_time() - began
            typer.echo(f"story {number}, {warehouse}, clock {clock}, {used:.1f} CPU s: {result}")
    sys.exit(failed > 0)


@contextmanager
def _machines() -> Iterator[Callable[[str], type[ChangingAccount]]]:
    """Yields what makes the machine of a clock, once."""
    made: dict[str, type[ChangingAccount]] = {}
    with Emulator(clock=Clock(NOW)) as emulator, TemporaryDirectory() as folder:

        def machine_of(clock: str) -> type[ChangingAccount]:
            if clock not in made:
                where = Path(folder) / str(len(made))
                made[clock] = machine(emulator, where, clock, RecordedAccount)
            return made[clock]

        try:
            yield machine_of
        finally:
            SERVER.stop()


if __name__ == "__main__":
    typer.run(main)
