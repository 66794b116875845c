"""Seeded accounts as SQLite files; they are kept, because filling one takes minutes."""

import hashlib
import shutil
import sys
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.processes import ROOT, measure, module

FOLDER = ROOT / "data" / "bench"
SEED = 1
NOW = int(datetime(2026, 11, 1, tzinfo=UTC).timestamp())
"""When the accounts were filled: their newest records are of this day."""

START = datetime(2024, 8, 1, tzinfo=UTC)
"""Start date of every sync: the accounts' records begin 26 months before `NOW`."""

_INVOICES_PER_CUSTOMER = 7.85


def account_file(invoices: int) -> Path:
    """Returns the file of an account with about that many invoices, and fills it if it is missing.

    Its name changes with the code that generates the records, so no run reads outdated ones.
    """
    prefix = f"account-{invoices}-"
    path = FOLDER / f"{prefix}{SEED}-{_version()}.sqlite"
    if not path.exists():
        FOLDER.mkdir(parents=True, exist_ok=True)
        for old in FOLDER.glob(f"{prefix}*"):
            old.unlink()
        customers = max(1, round(invoices / _INVOICES_PER_CUSTOMER))
        measure(module("benchmarks.accounts", path, customers), folder=FOLDER / "fill")
    return path


def working_copy(invoices: int, folder: Path) -> Path:
    """Copies the account's file, so that a run may change it."""
    return Path(shutil.copy(account_file(invoices), folder / "account.sqlite"))


def _version() -> str:
    emulator = ROOT / "invoiced_emulator"
    digest = hashlib.sha256(str(NOW).encode())
    others = (emulator / "records" / "schema.py", Path(__file__))
    for path in sorted([*(emulator / "seed").rglob("*.py"), *others]):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def fill(path: Path, customers: int) -> None:
    """Fills a new file; it has its name only once it is complete."""
    from invoiced_emulator.records.store import Store
    from invoiced_emulator.run import fill as fill_store

    class Smaller(Store):
        """Leaves out the events that no engine reads: four fifths of the file."""

        def put_many(self, collection: str, records: Iterable[Mapping[str, Any]]) -> int:
            kept = records if collection != "events" else filter(_tells_of_deletion, records)
            return super().put_many(collection, kept)

    unfinished = path.with_suffix(".unfinished")
    unfinished.unlink(missing_ok=True)
    store = Smaller(unfinished)
    # The tap fails at the first plan with tiered prices.
    fill_store(store, seed=SEED, customers=customers, now=NOW, tiers=False)
    store.close()
    unfinished.rename(path)


def _tells_of_deletion(event: Mapping[str, Any]) -> bool:
    return event["type"].endswith((".deleted", ".merged"))


if __name__ == "__main__":
    fill(Path(sys.argv[1]), int(sys.argv[2]))
