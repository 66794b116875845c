"""Any faults, in any order: every row creates one record, and the ledger agrees."""

import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from invoiced_emulator.server import Emulator
from invoiced_pipeline.exceptions import ApiError
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.writeback.ledger.ledger import Entry, Ledger
from invoiced_pipeline.writeback.plan.plan import PlannedRow
from invoiced_pipeline.writeback.recovery.resolver import OutcomeResolver, Resolution
from invoiced_pipeline_tests.conftest import empty
from invoiced_pipeline_tests.examples import examples
from invoiced_pipeline_tests.warehouses import new_warehouse
from invoiced_pipeline_tests.writeback.push_harness import LONG, HandClock, PushHarness, planned

OTHER_KEY = "another0000000000000000000000000"


@dataclass(frozen=True)
class Kind:
    """Rows of one operation, identified by one field."""

    operation: str
    collection: str
    field: str
    rows: Callable[[int], list[PlannedRow]]


def _row(path: str, body: Callable[[str], dict[str, Any]]) -> Callable[[int], list[PlannedRow]]:
    return lambda at: [planned(f"k{at}", body(f"row {at}"), path=path)]


def _changing(at: int) -> list[PlannedRow]:
    """A new customer and two updates of it, in order."""
    options = {"action": "update", "method": "PATCH", "path": "/customers/{id}"}
    changes = [planned(f"k{at}", {"notes": f"change {each}"}, **options) for each in (1, 2)]
    return [planned(f"k{at}", {"name": f"row {at}"}), *changes]


KINDS = (
    Kind("create_customer", "customers", "name", _changing),
    Kind("create_customer", "customers", "name", _row("/customers", lambda n: {"name": n})),
    Kind(
        "create_customer",
        "customers",
        "name",
        _row("/customers", lambda n: {"name": n, "number": n.upper()}),
    ),
    Kind(
        "record_payment",
        "payments",
        "reference",
        _row("/payments", lambda n: {"customer": 7, "amount": 5, "reference": n}),
    ),
    Kind(
        "create_task",
        "tasks",
        "name",
        _row("/tasks", lambda n: {"name": n, "action": "phone", "due_date": 1_800_000_000}),
    ),
    Kind("add_contact", "contacts", "name", _row("/customers/7/contacts", lambda n: {"name": n})),
)

CHANCES = st.sampled_from([0.0, 0.0, 0.1, 0.4])


@dataclass(frozen=True)
class Storm:
    """The faults of one push.

    Attributes:
        chances: Probability of every fault.
        status: Status of 5xx failures: the API's own, or a gateway's.
        dies_at: The write to the ledger at which the process dies; None where it does not.
        dies_after: Whether that write is still carried out.
        later: Time since the last push.
        other_key: Whether it uses another API key.
        at_once: Whether a second push runs between this one's plan and its requests.
        waits: Whether it waits for open outcomes.
    """

    chances: dict[str, float]
    seed: int
    status: int
    dies_at: int | None
    dies_after: bool
    later: timedelta
    other_key: bool
    at_once: bool
    waits: bool


FAULTS = (
    "rate429", "rate5xx", "drop_connection", "lose_response", "truncate_body", "fail_after_commit",
)  # fmt: skip

STORMS = st.builds(
    Storm,
    chances=st.fixed_dictionaries(dict.fromkeys(FAULTS, CHANCES)),
    seed=st.integers(0, 1000),
    status=st.sampled_from([500, 502, 503]),
    dies_at=st.none() | st.integers(0, 3),
    dies_after=st.booleans(),
    later=st.sampled_from([timedelta(seconds=1), LONG, timedelta(hours=25)]),
    other_key=st.booleans(),
    at_once=st.booleans(),
    waits=st.booleans(),
)
SCENES = st.tuples(
    st.sampled_from(KINDS), st.integers(1, 8), st.lists(STORMS, min_size=1, max_size=3)
)

SETTINGS: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
}


class DiedError(BaseException):
    """The process died."""


@contextmanager
def dying(storm: Storm) -> Iterator[None]:
    """Makes the process die just before or just after one of its writes to the ledger."""
    write, calls = Ledger.write, []

    def fatal(self: Ledger, entries: Any, responses: Any = ()) -> Any:
        if not entries and not responses:
            return {}
        calls.append(1)
        at = len(calls) - 1
        if storm.dies_at is None or at < storm.dies_at:
            return write(self, entries, responses)
        if at == storm.dies_at and storm.dies_after:
            write(self, entries, responses)
        raise DiedError

    Ledger.write = fatal  # type: ignore[method-assign]
    try:
        yield
    finally:
        Ledger.write = write  # type: ignore[method-assign]


def push_through(storm: Storm, pushing: PushHarness, rows: list[PlannedRow]) -> None:
    """Runs one push with the faults of a storm."""
    faults = pushing.emulator.faults
    pushing.clock.at += storm.later
    pushing.api_key = OTHER_KEY if storm.other_key else None
    faults.status5xx = storm.status
    faults._random.seed(storm.seed)
    for fault, chance in storm.chances.items():
        setattr(faults, fault, chance)
    other = PushHarness(
        pushing.emulator, pushing.database, pushing.clock, pushing.operation, run_id="other"
    )

    def meanwhile() -> None:
        if storm.at_once:
            with suppress(ApiError):
                other(rows[::2])

    try:
        with dying(storm):
            pushing(rows, waits=storm.waits, meanwhile=meanwhile)
    except (ApiError, DiedError):
        pass
    finally:
        faults.clear()


def assert_each_once(
    emulator: Emulator, database: Database, scene: tuple[Kind, int, list[Storm]]
) -> None:
    kind, count, storms = scene
    empty(emulator)
    emulator.keys[OTHER_KEY] = "active"
    emulator.store.put("customers", {"id": 7, "object": "customer", "name": "Acme"})
    pushing = PushHarness(emulator, database, HandClock(), kind.operation).without_replica()
    rows = [row for at in range(count) for row in kind.rows(at)]
    for storm in storms:
        push_through(storm, pushing, rows)
        made = Counter(each.get(kind.field) for each in emulator.store.all(kind.collection))
        assert all(times == 1 for times in made.values()), made
    pushing.api_key = None
    pushing.clock.at += LONG + timedelta(seconds=60)
    report = pushing(rows, waits=True)
    made = {each.get(kind.field): each["id"] for each in emulator.store.all(kind.collection)}
    entries = pushing.entries()
    for at in range(count):
        entry = entries[f"k{at}"]
        assert entry.state == "succeeded", (entry, report.failures)
        assert str(made[f"row {at}"]) == entry.invoiced_id
        assert entry.succeeded_hash == kind.rows(at)[-1].payload_hash
    extra = {"Acme"} if kind.collection == "customers" else set()
    assert made.keys() == {f"row {at}" for at in range(count)} | extra


@settings(max_examples=6, **SETTINGS)
@given(scene=SCENES)
def test_each_row_once(emulator: Emulator, scene: tuple[Kind, int, list[Storm]]) -> None:
    with tempfile.TemporaryDirectory() as folder, new_warehouse(Path(folder)) as database:
        assert_each_once(emulator, database, scene)


def test_last_row_of_a_key_is_the_one_that_succeeded(
    emulator: Emulator, database: Database
) -> None:
    """An update that another push could not send does not replace the last success."""
    pushing = PushHarness(emulator, database, HandClock(), "create_customer").without_replica()
    rows = _changing(0)
    pushing(rows)
    other = replace(pushing.entries()["k0"], state="planned", payload_hash=rows[1].payload_hash)
    Ledger(database, "invoiced").write([other])
    pushing(rows)
    entry = pushing.entries()["k0"]
    assert (entry.state, entry.succeeded_hash) == ("succeeded", rows[-1].payload_hash)
    assert [each.get("notes") for each in emulator.store.all("customers")] == ["change 2"]


@pytest.mark.slow
@settings(max_examples=examples(120, brief=20), **SETTINGS)
@given(scene=SCENES)
def test_each_row_once_in_many_storms(
    emulator: Emulator, scene: tuple[Kind, int, list[Storm]]
) -> None:
    with tempfile.TemporaryDirectory() as folder, new_warehouse(Path(folder)) as database:
        assert_each_once(emulator, database, scene)


@pytest.mark.slow
@settings(max_examples=examples(20, brief=5), **SETTINGS)
@given(scene=SCENES)
def test_each_row_once_on_a_server(
    emulator: Emulator, scene: tuple[Kind, int, list[Storm]]
) -> None:
    with tempfile.TemporaryDirectory() as folder, new_warehouse(Path(folder), "postgres") as server:
        assert_each_once(emulator, server, scene)


@pytest.mark.slow
def test_storms_are_hard_enough(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without look-ups, the same storms create a record twice."""

    def guess(
        _resolver: OutcomeResolver, entries: list[Entry], _others: Iterable[Entry]
    ) -> list[Resolution]:
        return [Resolution(entry=entry, outcome="not_done") for entry in entries]

    monkeypatch.setattr(OutcomeResolver, "resolve", guess)

    @settings(max_examples=100, phases=[Phase.generate], database=None, **SETTINGS)
    @given(scene=SCENES)
    def try_scene(scene: tuple[Kind, int, list[Storm]]) -> None:
        with tempfile.TemporaryDirectory() as folder, new_warehouse(Path(folder)) as database:
            assert_each_once(emulator, database, scene)

    with pytest.raises(AssertionError):
        try_scene()
