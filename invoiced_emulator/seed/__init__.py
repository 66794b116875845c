"""Made-up records: 26 months of a company's business, the same for the same seed."""

from collections.abc import Iterator
from typing import Any

from invoiced_emulator.seed.business import run_business
from invoiced_emulator.seed.simulation.simulation import Simulation

__all__ = ["generate"]


def generate(
    *, seed: int, customers: int, now: int, tiers: bool = True
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields `(collection, record)` of an account with so many customers, as of `now`.

    Records have every field of the API, also those it hides by default. They share nested objects,
    so treat them as read-only. A record is yielded once nothing changes it any more, customers
    last. Within a collection, ids rise with `created_at`.

    Args:
        seed: Of all random choices.
        customers: How many; each has about eight invoices.
        now: Epoch seconds UTC; nothing happens after it.
        tiers: Whether some plans have tiered prices.
    """
    yield from run_business(Simulation(seed=seed, now=now, tiers=tiers), customers)
