"""Invented data: the simulation of a company over the last 26 months, the same for the same seed."""

from collections.abc import Iterator
from typing import Any

from invoiced_emulator.seed.business import run_business
from invoiced_emulator.seed.simulation.simulation import Simulation

__all__ = ["generate"]


def generate(
    *, seed: int, customers: int, now: int, tiers: bool = True
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields `(collection, record)` of an account with that many customers, as it is at `now`.

    Records hold every field of the API, also those it hides by default; they refer to each other
    by id and share nested objects, so treat them as read-only. They come as their stories end,
    customers last; within a collection ids rise with `created_at`.

    Args:
        seed: Of everything that is left to chance.
        customers: Size of the simulation; about eight invoices for each.
        now: Epoch seconds UTC; nothing lies after it.
        tiers: Whether some plans have tiered pricing.
    """
    yield from run_business(Simulation(seed=seed, now=now, tiers=tiers), customers)
