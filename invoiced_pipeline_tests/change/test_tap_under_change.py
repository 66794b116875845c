"""The same actors at work while Stitch's engine reads, and while we do: what each of us ends with.

    python -m pytest --slow invoiced_pipeline_tests/change/test_tap_under_change.py

prints the figures that README.md and docs/reliability.md show.
"""

import random
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console
from rich.table import Table

from invoiced_emulator.seed import generate
from invoiced_emulator.server import Emulator
from invoiced_pipeline_tests.change.reference_read import Records, all_records, held
from invoiced_pipeline_tests.change.simulated_account import SimulatedAccount, Step, seconds
from invoiced_pipeline_tests.clients.tap import Tap
from invoiced_pipeline_tests.clients.test_tap_invoiced import STREAMS
from invoiced_pipeline_tests.conftest import NOW, START, empty

CUSTOMERS = 300
EVERY = 3
"""Actors do something before every third request."""
AT_A_TIME = 8

WORK = (
    "adjust_credit",
    "apply_anew",
    "archive_plan",
    "bring_back",
    "cancel_subscription",
    "change_adjustment",
    "change_lines",
    "create_customer",
    "create_document",
    "create_invoice",
    "create_plan",
    "delete_adjustment",
    "delete_customer",
    "delete_document",
    "delete_transaction",
    "merge_customers",
    "pay",
    "prepay",
    "record_transaction",
    "rename_customer",
    "rename_document",
    "stamp_many",
    "subscribe",
    "take_back_payment",
    "unapply",
    "void_document",
    "void_payment",
)
"""What the actors do: a list of its own, because the published figures belong to this work."""

Found = dict[str, dict[Any, tuple[int | None, Any]]]
"""What a reader ends with: `updated_at` in epoch seconds, and the customer, by stream and id."""


def test_what_the_tap_loses_and_we_do_not(
    emulator: Emulator, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tap = Tap(tmp_path, emulator.url, emulator.api_key, START.isoformat())
    theirs: Found = {stream: {} for stream in STREAMS}

    def run_tap() -> None:
        output = tap.run()
        assert output.exit_code == 0, output.log[-2000:]
        for stream, records in output.records.items():
            theirs[stream].update((each["id"], _version(each)) for each in records)

    truth = read_under_change(emulator, tmp_path, run_tap)
    of_tap = wrong(theirs, truth)

    account = SimulatedAccount(emulator, tmp_path / "ours", tables=STREAMS)
    truth = read_under_change(
        emulator, tmp_path, lambda: account.replica.ok(*STREAMS, deletions="mark")
    )
    rows = held(account.replica, STREAMS)
    ours = {
        stream: {
            row["id"]: (seconds(row["updated_at"]), row.get("customer"))
            for row in rows[stream]
            if row["_deleted_at"] is None
        }
        for stream in STREAMS
    }
    of_ours = wrong(ours, truth)
    with capsys.disabled():
        show(truth, {"tap-invoiced": of_tap, "this project": of_ours})
    assert sum(of_ours.values()) == 0
    assert all(sum(n for (_, kind), n in of_tap.items() if kind == each) > 0 for each in KINDS)


def read_under_change(
    emulator: Emulator, folder: Path, read: Callable[[], Any]
) -> dict[str, Records]:
    """Has an account read while actors work in it, and once more when they have gone home."""
    empty(emulator)
    with emulator.store.transaction():
        for collection, record in generate(seed=7, customers=CUSTOMERS, now=NOW, tiers=False):
            emulator.store.put(collection, record)
    account = SimulatedAccount(emulator, folder)
    chance = random.Random(7)  # noqa: S311 - the same life for both readers
    requests = 0

    def meddle(path: str, _: dict[str, Any]) -> None:
        nonlocal requests
        requests += 1
        if requests % EVERY:
            return
        for _ in range(AT_A_TIME):
            account.do(Step(chance.choice(WORK), chance.randrange(10_000), wait=1))

    emulator.on_request = meddle
    read()
    emulator.on_request = None
    emulator.clock.advance(3600)
    read()
    return all_records(emulator, STREAMS)


KINDS = ("missing", "outdated", "gone, but there")


def wrong(found: Found, truth: dict[str, Records]) -> Counter[tuple[str, str]]:
    """How many rows are wrong, by stream and kind."""
    counts: Counter[tuple[str, str]] = Counter()
    for stream, records in truth.items():
        have = found[stream]
        counts[stream, "missing"] = len(records.keys() - have)
        counts[stream, "gone, but there"] = len(have.keys() - records)
        counts[stream, "outdated"] = sum(
            have[key] != _version(records[key]) for key in have.keys() & records
        )
    return counts


def _version(record: dict[str, Any]) -> tuple[int | None, Any]:
    second = record["updated_at"]
    if isinstance(second, str):  # as singer writes it
        second = int(datetime.fromisoformat(second).timestamp())
    return second, record.get("customer")


def show(truth: dict[str, Records], readers: dict[str, Counter[tuple[str, str]]]) -> None:
    shown = Table("table", "records", "read by", *KINDS)
    counted = {stream: len(records) for stream, records in truth.items()}
    for reader, counts in readers.items():
        for stream, records in counted.items():
            figures = (str(counts[stream, kind]) for kind in KINDS)
            shown.add_row(stream, f"{records:,}", reader, *figures)
        totals = (sum(counts[stream, kind] for stream in counted) for kind in KINDS)
        all_records = f"{sum(counted.values()):,}"
        shown.add_row("all", all_records, reader, *map(str, totals), end_section=True)
    Console(width=100).print(shown)


pytestmark = [pytest.mark.slow, pytest.mark.random]
