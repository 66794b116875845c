"""Performance targets, and whether a run of the benchmark meets them."""

from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.cases import (
    CHANGES,
    IN_DAGSTER_NINE,
    IN_DAGSTER_SIX,
    NINE,
    NO_DELETIONS,
    TAP,
    WITH_CHECKS,
    WITHOUT_DAGSTER_NINE,
    WITHOUT_DAGSTER_SIX,
    Case,
    Phase,
)
from benchmarks.results import Measurement, Results
from benchmarks.writing import CUSTOMERS

LARGE, SMALL = 100_000, 20_000
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
    """Judges all targets; speed by the largest account of the run."""
    return [
        *(_speed(results, *wanted) for wanted in _SPEEDS),
        _requests(results),
        *_by_size(results),
        _trust(results),
        _idle(results),
        _fixed(results),
        _writing(results),
    ]


_SPEEDS: tuple[tuple[Case, float], ...] = (
    (WITHOUT_DAGSTER_SIX, 12),
    (WITHOUT_DAGSTER_NINE, 12),
    (IN_DAGSTER_SIX, 9),
    (IN_DAGSTER_NINE, 9),
)


def _speed(results: Results, case: Case, wanted: float) -> Verdict:
    size = results.sizes[-1]
    target = f"{case.name}: a first sync loads at least {wanted:g} times the tap's rows per second"
    found = results.find(size, Phase.FIRST, case)
    tap = results.find(size, Phase.FIRST, TAP)
    if found is None or tap is None:
        return _not_measured(target)
    ratio = found.rows_per_second / tap.rows_per_second
    met = ratio >= wanted if size >= SMALL else None
    return Verdict(target, f"{ratio:.1f} at {size:,} invoices", met)


def _requests(results: Results) -> Verdict:
    target = "requests of a first sync, nine tables: at most 1.1 per 100 rows"
    found = results.find(results.sizes[-1], Phase.FIRST, WITHOUT_DAGSTER_NINE)
    if found is None:
        return _not_measured(target)
    needed = found.rows / 100
    measured = (
        f"{found.served.requests:,} for {found.rows:,} rows: {found.served.requests / needed:.2f}"
    )
    met = found.served.requests <= 1.1 * needed if found.size >= SMALL else None
    return Verdict(target, measured, met)


def _by_size(results: Results) -> list[Verdict]:
    return [
        _at_large(
            results,
            IN_DAGSTER_NINE,
            Phase.FIRST,
            f"{IN_DAGSTER_NINE.name}: peak memory below 450 MB at {LARGE:,} invoices",
            lambda _, large: (f"{large.sync.peak_mb:.0f} MB", large.sync.peak_mb < 450),
        ),
        _at_large(
            results,
            IN_DAGSTER_NINE,
            Phase.FIRST,
            f"{IN_DAGSTER_NINE.name}: peak memory at most 1.15 times that at {SMALL:,}",
            lambda small, large: _growth(small.sync.peak_mb, large.sync.peak_mb, 1.15),
        ),
        _at_large(
            results,
            WITHOUT_DAGSTER_NINE,
            Phase.CHANGED,
            f"{WITHOUT_DAGSTER_NINE.name}: {CHANGES:,} changes at {LARGE:,} invoices take at "
            f"most 1.3 times the seconds at {SMALL:,}",
            lambda small, large: _growth(small.sync.seconds, large.sync.seconds, 1.3),
        ),
    ]


def _at_large(
    results: Results,
    case: Case,
    phase: Phase,
    target: str,
    verdict: Callable[[Measurement, Measurement], tuple[str, bool]],
) -> Verdict:
    small, large = (results.find(size, phase, case) for size in (SMALL, LARGE))
    if small is None or large is None:
        return _not_measured(target)
    return Verdict(target, *verdict(small, large))


def _growth(small: float, large: float, wanted: float) -> tuple[str, bool]:
    return f"{large / small:.2f} ({small:.1f} to {large:.1f})", large / small <= wanted


def _trust(results: Results) -> Verdict:
    size = results.sizes[-1]
    target = "nine tables: deletions, log and checks make a first sync at most 1.15 times as long"
    on, off = (results.find(size, Phase.FIRST, case) for case in (WITH_CHECKS, NO_DELETIONS))
    if on is None or off is None:
        return _not_measured(target)
    measured, met = _growth(off.sync.seconds, on.sync.seconds, 1.15)
    return Verdict(target, f"{measured} at {size:,} invoices", met if size >= SMALL else None)


def _idle(results: Results) -> Verdict:
    wanted = 3 * len(NINE) + 3
    target = f"idle sync, nine tables: at most 3 requests per table and 3 for events ({wanted})"
    found = results.find(results.sizes[-1], Phase.IDLE, IN_DAGSTER_NINE)
    if found is None:
        return _not_measured(target)
    return Verdict(target, str(found.served.requests), found.served.requests <= wanted)


def _fixed(results: Results) -> Verdict:
    above = results.fixed_cost.above
    target = "fixed cost of a run: at most 1.5 s more than an empty Dagster project"
    return Verdict(target, f"{above:.1f} s", above <= 1.5)


def _writing(results: Results) -> Verdict:
    ours, loop = results.writing
    target = (
        f"{CUSTOMERS:,} new customers by write-back, ledger included: at least 8 times the records "
        "per second of a loop over the official SDK"
    )
    ratio = ours.records_per_second / loop.records_per_second
    met = ratio >= 8 if ours.records >= CUSTOMERS else None
    return Verdict(target, f"{ratio:.1f} at {ours.records:,}", met)


def _not_measured(target: str) -> Verdict:
    return Verdict(target, "not measured in this run", None)
