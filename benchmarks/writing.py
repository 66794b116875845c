"""Compares write-back with a loop over the official SDK: the same new customers, in turn."""

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.accounts import working_copy
from benchmarks.api import Api, clock_start
from benchmarks.cases import LATENCY_MS
from benchmarks.processes import CommandFailedError, measure, module

CUSTOMERS = 2_000
_NEARLY_EMPTY = 8
"""Number of invoices in the account: those of one customer."""

_SOURCE = "customers.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """Time and memory of one way to create customers.

    Attributes:
        name: Which way.
        records: Customers created.
        seconds: From the end of the imports until everything is recorded.
        cpu_seconds: CPU time of the process in these seconds.
        peak_mb: Its largest resident memory.
        requests: Requests that the API answered.
    """

    name: str
    records: int
    seconds: float
    cpu_seconds: float
    peak_mb: float
    requests: int

    @property
    def records_per_second(self) -> float:
        """Returns customers created per second of wall-clock time."""
        return self.records / self.seconds


def writings(folder: Path, count: int, tell: Callable[[str], None]) -> tuple[Writing, Writing]:
    """Creates that many customers twice, in separate accounts: by write-back, then by the SDK loop.

    The write-back reads them from a CSV file, plans, keeps ledger and answers, and updates the
    replica; the loop sends them and records nothing.

    Raises:
        CommandFailedError: One of them failed, or the account lacks some of the customers.
    """
    folder.mkdir(parents=True, exist_ok=True)
    source = folder / _SOURCE
    with source.open("w", encoding="utf-8", newline="") as file:
        rows = ([f"c{at}", f"Customer {at}", f"c{at}@example.com"] for at in range(count))
        csv.writer(file).writerows([["ext_id", "name", "email"], *rows])
    found = []
    for name, program in (("ours", "benchmarks.push"), ("SDK loop", "benchmarks.sdk_loop")):
        tell(f"{count:,} new customers: {name}")
        found.append(_write(name, program, folder / program, source, count))
    return found[0], found[1]


def _write(name: str, program: str, folder: Path, source: Path, count: int) -> Writing:
    folder.mkdir()
    with Api(working_copy(_NEARLY_EMPTY, folder), clock_start()) as api:
        before = api.counts(("customers",))["customers"]
        api.begin(LATENCY_MS)
        command = module(program, api.url, api.api_key, source)
        used = measure(command, folder=folder)
        requests = api.served().requests
        made = api.counts(("customers",))["customers"] - before
    if made != count:
        message = f"{name} created {made} of {count} customers"
        raise CommandFailedError(message)
    measured = json.loads(used.output)
    return Writing(name=name, records=made, peak_mb=used.peak_mb, requests=requests, **measured)
