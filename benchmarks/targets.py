"""Performance targets, and whether a run of the benchmark meets them."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.cases import (
    AIRBYTE_EIGHT,
    IN_DAGSTER_NINE,
    IN_DAGSTER_SIX,
    LATENCY_MS,
    NINE,
    NO_DELETIONS,
    REQUESTS_IN_FLIGHT,
    TAP,
    WITH_CHECKS,
    WITHOUT_DAGSTER_NINE,
    WITHOUT_DAGSTER_SIX,
    Case,
    Phase,
)
from benchmarks.results import Measurement, Results
from benchmarks.writing import CUSTOMERS

HUNDRED_THOUSAND, SMALL = 100_000, 20_000
"""Sizes at which memory and growth are judged. Below `SMALL`, the fixed cost of a run dominates."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """One target and whether it is met.

    Attributes:
        target: What is wanted.
        measured: The figure, or a note that the run lacked the sizes for it.
        met: None if it was not measured, or if the account was too small to tell.
    """

    target: str
    measured: str
    met: bool | None


def judge(results: Results) -> list[Verdict]:
    """Judges all targets; speed by the largest account that has both engines."""
    return [
        *(_speed(results, *wanted) for wanted in _SPEEDS),
        _first_sync(results),
        _requests(results),
        *_memory(results),
        *(_growth_of(results, phase) for phase in (Phase.CHANGED, Phase.IDLE)),
        _trust(results),
        _idle_requests(results),
        *_idle_seconds(results),
        _fixed(results),
        _writing(results),
    ]


_SPEEDS: tuple[tuple[Case, Case, str, float], ...] = (
    (WITHOUT_DAGSTER_SIX, TAP, "the tap's", 12),
    (WITHOUT_DAGSTER_NINE, TAP, "the tap's", 18),
    (IN_DAGSTER_SIX, TAP, "the tap's", 9),
    (IN_DAGSTER_NINE, TAP, "the tap's", 15),
    (WITHOUT_DAGSTER_NINE, AIRBYTE_EIGHT, "Airbyte's", 6),
)


def _speed(results: Results, case: Case, other: Case, whose: str, wanted: float) -> Verdict:
    target = f"{case.name}: a first sync loads at least {wanted:g} times {whose} rows per second"
    if not (found := results.largest(Phase.FIRST, case, other)):
        return _not_measured(target)
    ours, theirs = found
    ratio = ours.rows_per_second / theirs.rows_per_second
    return _judged(target, f"{ratio:.1f}", ours, met=ratio >= wanted)


def _first_sync(results: Results) -> Verdict:
    target = (
        f"{WITHOUT_DAGSTER_NINE.name}: a first sync takes at most 4 s more than 1.1 times what the "
        f"API needs for its requests, {REQUESTS_IN_FLIGHT} at a time"
    )
    if not (found := results.largest(Phase.FIRST, WITHOUT_DAGSTER_NINE)):
        return _not_measured(target)
    (ours,) = found
    waiting = ours.served.requests / REQUESTS_IN_FLIGHT * LATENCY_MS / 1000
    wanted = 1.1 * waiting + 4
    return _judged(
        target,
        f"{ours.sync.seconds:.1f} s of {wanted:.1f} s",
        ours,
        met=ours.sync.seconds <= wanted,
    )


def _requests(results: Results) -> Verdict:
    target = "requests of a first sync, nine tables: at most 1.1 per 100 rows"
    if not (found := results.largest(Phase.FIRST, WITHOUT_DAGSTER_NINE)):
        return _not_measured(target)
    (ours,) = found
    per_hundred = ours.served.requests / ours.rows * 100
    measured = f"{ours.served.requests:,} for {ours.rows:,} rows: {per_hundred:.2f}"
    return _judged(target, measured, ours, met=per_hundred <= 1.1)


def _memory(results: Results) -> list[Verdict]:
    return [
        _grown(
            results,
            HUNDRED_THOUSAND,
            Phase.FIRST,
            f"{IN_DAGSTER_NINE.name}: peak memory below 450 MB at {HUNDRED_THOUSAND:,} invoices",
            lambda _, large: (f"{large.sync.peak_mb:.0f} MB", large.sync.peak_mb < 450),
        ),
        _grown(
            results,
            HUNDRED_THOUSAND,
            Phase.FIRST,
            f"{IN_DAGSTER_NINE.name}: peak memory at most 1.15 times that at {SMALL:,}",
            lambda small, large: _growth(small.sync.peak_mb, large.sync.peak_mb, 1.15),
        ),
    ]


def _growth_of(results: Results, phase: Phase) -> Verdict:
    target = (
        f"{IN_DAGSTER_NINE.name}: {phase}, at most 1.1 times the seconds and the memory at "
        f"{SMALL:,} invoices"
    )
    return _grown(results, results.sizes[-1], phase, target, _same_work)


def _same_work(small: Measurement, large: Measurement) -> tuple[str, bool]:
    seconds, is_as_fast = _growth(small.sync.seconds, large.sync.seconds, 1.1)
    memory, is_as_small = _growth(small.sync.peak_mb, large.sync.peak_mb, 1.1)
    return f"{seconds} s; {memory} MB, at {large.size:,}", is_as_fast and is_as_small


def _grown(
    results: Results,
    size: int,
    phase: Phase,
    target: str,
    verdict: Callable[[Measurement, Measurement], tuple[str, bool]],
) -> Verdict:
    small, large = (results.find(each, phase, IN_DAGSTER_NINE) for each in (SMALL, size))
    if small is None or large is None or small is large:
        return _not_measured(target)
    return Verdict(target, *verdict(small, large))


def _growth(small: float, large: float, wanted: float) -> tuple[str, bool]:
    return f"{large / small:.2f} ({small:.1f} to {large:.1f})", large / small <= wanted


def _trust(results: Results) -> Verdict:
    target = "nine tables: deletions, log and checks make a first sync at most 1.15 times as long"
    if not (found := results.largest(Phase.FIRST, WITH_CHECKS, NO_DELETIONS)):
        return _not_measured(target)
    on, off = found
    measured, met = _growth(off.sync.seconds, on.sync.seconds, 1.15)
    return _judged(target, measured, on, met=met)


def _idle_requests(results: Results) -> Verdict:
    wanted = 3 * len(NINE) + 3
    target = f"idle sync, nine tables: at most 3 requests per table and 3 for events ({wanted})"
    if not (found := results.largest(Phase.IDLE, IN_DAGSTER_NINE)):
        return _not_measured(target)
    requests = found[0].served.requests
    return Verdict(target, str(requests), requests <= wanted)


def _idle_seconds(results: Results) -> list[Verdict]:
    sync = f"{IN_DAGSTER_NINE.name}: an idle sync at {HUNDRED_THOUSAND:,} invoices takes at most"
    short, cheap = f"{sync} 4 s", f"{sync} 1.0 s more than a project that loads one row with dlt"
    found = results.find(HUNDRED_THOUSAND, Phase.IDLE, IN_DAGSTER_NINE)
    if found is None:
        return [_not_measured(target) for target in (short, cheap)]
    seconds, above = found.sync.seconds, found.sync.seconds - results.fixed_cost.one_row
    return [
        Verdict(short, f"{seconds:.1f} s", seconds <= 4),
        Verdict(cheap, f"{above:.1f} s", above <= 1.0),
    ]


def _fixed(results: Results) -> Verdict:
    above = results.fixed_cost.above
    target = "fixed cost of a run: at most 1.5 s more than an empty Dagster project"
    return Verdict(target, f"{above:.1f} s", above <= 1.5)


_WRITTEN = 13.8
"""1.4 times what was written with 12 requests in flight, which was 9.9 times the loop's."""


def _writing(results: Results) -> Verdict:
    ours, loop = results.writing
    target = (
        f"{CUSTOMERS:,} new customers by write-back, ledger included: at least {_WRITTEN} times "
        "the records per second of a loop over the official SDK"
    )
    ratio = ours.records_per_second / loop.records_per_second
    met = ratio >= _WRITTEN if ours.records >= CUSTOMERS else None
    return Verdict(target, f"{ratio:.1f} at {ours.records:,}", met)


def _judged(target: str, measured: str, at: Measurement, *, met: bool) -> Verdict:
    """Returns a verdict with the size of the account; too small a one cannot tell."""
    return Verdict(target, f"{measured} at {at.size:,} invoices", met if at.size >= SMALL else None)


def _not_measured(target: str) -> Verdict:
    return Verdict(target, "not measured in this run", None)
