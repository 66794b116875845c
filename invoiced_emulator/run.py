"""The emulator as a process of its own: opened or seeded, served until it is told to stop."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from invoiced_emulator.http.fault_injection import Faults
from invoiced_emulator.records.json_files import load_directory
from invoiced_emulator.records.kinds import KINDS
from invoiced_emulator.records.store import Store
from invoiced_emulator.server import DEFAULT_KEY, Emulator

_LOG = logging.getLogger(__name__)
_BATCH = 1000


def serve(  # noqa: PLR0913 - one parameter per option of the command
    *,
    host: str = "127.0.0.1",
    port: int = 8787,
    database: Path | str = ":memory:",
    seed: int = 1,
    customers: int = 100,
    load: Path | None = None,
    faults: Faults | None = None,
    api_key: str = DEFAULT_KEY,
    company_timezone: str = "UTC",
    features: Iterable[str] = ("subscription_billing",),
    forbidden: Iterable[str] = (),
    request_limit: int = 20,
    retry_after: int | None = None,
    on_ready: Callable[[str], None] | None = None,
) -> None:
    """Serve an emulated account until SIGTERM or SIGINT.

    The database file is created when missing; one that holds records is not seeded again. The
    same `seed` makes the same records, for so many `customers`; 0 seeds nothing. The JSON files
    of the directory `load` are put in after that. `port` 0 takes a free one; `on_ready` is told
    the address once requests are accepted. All else is as of `Emulator`.
    """
    emulator = Emulator(
        database=database,
        host=host,
        port=port,
        api_key=api_key,
        company_timezone=company_timezone,
        features=features,
        forbidden=set(forbidden),
        faults=faults,
        request_limit=request_limit,
        retry_after=retry_after,
    )
    _prepare(emulator, seed=seed, customers=customers, load=load)
    if on_ready is not None:
        on_ready(emulator.url)
    emulator.run()
    emulator.stop()


def _prepare(emulator: Emulator, *, seed: int, customers: int, load: Path | None) -> None:
    if customers and is_empty(emulator.store):
        fill(emulator.store, seed=seed, customers=customers, now=emulator.clock.now())
    if load is not None:
        loaded = load_directory(emulator.store, load)
        _LOG.info("loaded %s", loaded.counts)
        for skipped in loaded.skipped:
            _LOG.warning("not loaded: %s", skipped)


def is_empty(store: Store) -> bool:
    """The store holds no record of any kind."""
    return not any(store.count(collection) for collection in KINDS)


def fill(store: Store, *, seed: int, customers: int, now: int) -> int:
    """Put the seeded records into a store and return how many.

    Args:
        store: Where they go.
        seed: Same seed, same records.
        customers: How many customers.
        now: Epoch seconds before which everything happened.
    """
    from invoiced_emulator.seed import generate

    started = time.monotonic()
    total = 0
    waiting: dict[str, list[Mapping[str, Any]]] = {collection: [] for collection in KINDS}
    # One transaction: a file is seeded whole or stays empty and is seeded by the next start.
    with store.transaction():
        for collection, record in generate(seed=seed, customers=customers, now=now):
            waiting[collection].append(record)
            if len(waiting[collection]) == _BATCH:
                total += store.put_many(collection, waiting.pop(collection))
                waiting[collection] = []
        for collection, records in waiting.items():
            total += store.put_many(collection, records)
    _LOG.info("seeded %d records in %.1f s", total, time.monotonic() - started)
    return total
