"""The emulator as a process: seeds an empty database, then serves until a signal."""

import logging
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from invoiced_emulator.records.json_files import load_directory
from invoiced_emulator.records.kinds import KINDS
from invoiced_emulator.records.store import Store
from invoiced_emulator.seed import generate
from invoiced_emulator.server import Emulator

_LOG = logging.getLogger(__name__)
_BATCH = 1000


def serve(
    emulator: Emulator, *, seed: int = 1, customers: int = 100, load: Path | None = None
) -> None:
    """Serves an account until SIGTERM or SIGINT.

    Args:
        emulator: Not started yet.
        seed: The same seed makes the same records.
        customers: How many customers to make up; a database that holds records is not seeded.
        load: A directory of JSON files with records, stored last.
    """
    if customers and is_empty(emulator.store):
        fill(emulator.store, seed=seed, customers=customers, now=emulator.clock.now())
    if load is not None:
        loaded = load_directory(emulator.store, load)
        _LOG.info("loaded %s", loaded.counts)
        for skipped in loaded.skipped:
            _LOG.warning("not loaded: %s", skipped)
    emulator.run()
    emulator.stop()


def is_empty(store: Store) -> bool:
    """Whether the store holds no record of any kind."""
    return not any(store.count(collection) for collection in KINDS)


def fill(store: Store, *, seed: int, customers: int, now: int, tiers: bool = True) -> int:
    """Puts seeded records into a store and returns how many.

    Args:
        store: An empty store.
        seed: The same seed makes the same records.
        customers: How many customers to make up.
        now: Epoch seconds before which everything happened.
        tiers: Whether some plans have tiered prices.
    """
    started = time.monotonic()
    total = 0
    waiting: dict[str, list[Mapping[str, Any]]] = {collection: [] for collection in KINDS}
    # One transaction: a file that is not seeded completely is empty, and the next start seeds it.
    with store.transaction():
        for collection, record in generate(seed=seed, customers=customers, now=now, tiers=tiers):
            waiting[collection].append(record)
            if len(waiting[collection]) == _BATCH:
                total += store.put_many(collection, waiting.pop(collection))
                waiting[collection] = []
        for collection, records in waiting.items():
            total += store.put_many(collection, records)
    _LOG.info("seeded %d records in %.1f s", total, time.monotonic() - started)
    return total
