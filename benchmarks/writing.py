"""Write-back beside a loop over the official SDK: the same new customers, one after the other."""

import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.accounts import NOW, working_copy
from benchmarks.api import Api
from benchmarks.cases import LATENCY_MS
from benchmarks.processes import CommandFailedError, measure, module

CUSTOMERS = 2_000
_NEARLY_EMPTY = 8
"""Invoices of the account: one customer's."""

_SOURCE = "customers.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class Writing:
    """What one way took to create customers.

    Attributes:
        name: Which way.
        records: Customers created.
        seconds: From after the imports until all is written down.
        cpu_seconds: Of the process, meanwhile.
        peak_mb: Its largest resident memory.
        requests: What the API answered.
    """

    name: str
    records: int
    seconds: float
    cpu_seconds: float
    peak_mb: float
    requests: int

    @property
    def records_per_second(self) -> float:
        """Customers created per second of wall clock."""
        return self.records / self.seconds


def writings(folder: Path, count: int, tell: Callable[[str], None]) -> tuple[Writing, Writing]:
    """Creates so many customers twice, each time in an account of its own: ours, then the SDK's.

    Ours reads them from a CSV file, plans, keeps ledger and answers, and has the replica show them;
    the loop sends them and keeps nothing.

    Raises:
        CommandFailedError: One of them failed, or the account does not hold the customers.
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
    with Api(working_copy(_NEARLY_EMPTY, folder), NOW) as api:
        before = api.counts(("customers",))["customers"]
        api.begin(LATENCY_MS)
        command = module(program, api.url, api.api_key, source)
        used = measure(command, folder=folder)
        requests = api.served().requests
        made = api.counts(("customers",))["customers"] - before
    if made != count:
        message = f"{name} created {made} of {count} customers"
        raise CommandFailedError(message)
    told = json.loads(used.output)
    return Writing(name=name, records=made, peak_mb=used.peak_mb, requests=requests, **told)
