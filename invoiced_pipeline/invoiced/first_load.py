"""How large a first load is, and how long it may take, by counts and by measured latency."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.windows import to_epoch

PAGE_SIZE = 100

_RECORDS_PER_SECOND = 7000
_SECONDS_OF_ANY_RUN = 6.0
"""Measured on two cores with 60,000 records: what typing and loading take where the API costs no
time, and what a run takes that loads nothing (`benchmarks/results.md`)."""


@dataclass(frozen=True, slots=True)
class FirstLoad:
    """A first load, before it is begun.

    Attributes:
        records: How many records there are to read.
        requests: Pages that they are on.
        page_seconds: How long the API took for a whole page.
        seconds: How long it may take.
    """

    records: int
    requests: int
    page_seconds: float
    seconds: float


def since_params(table: Table, since: datetime | None) -> tuple[tuple[str, str], ...]:
    """What narrows a list to records updated since an instant, where the list can be narrowed."""
    if since is None or table.listing != "windowed":
        return ()
    return (("updated_after", str(to_epoch(since) - 1)),)


def first_load(
    client: InvoicedClient, records: Mapping[Table, int], since: datetime | None
) -> FirstLoad:
    """Reads one page of the largest table, and reckons from how long that took.

    Args:
        client: Where to read.
        records: Records of every table.
        since: The start date.

    Raises:
        ApiError: The page cannot be read.
    """
    largest = max(records, key=lambda table: records[table])
    params = (*largest.list_params, *largest.variants[0], *since_params(largest, since))
    began = time.monotonic()
    client.list_page(largest.path, (*params, ("per_page", str(PAGE_SIZE))))
    page_seconds = time.monotonic() - began
    total = sum(records.values())
    requests = sum(max(1, math.ceil(count / PAGE_SIZE)) for count in records.values())
    seconds = expected_seconds(total, requests, page_seconds, client.limit.capacity)
    return FirstLoad(total, requests, page_seconds, seconds)


def expected_seconds(records: int, requests: int, page_seconds: float, in_flight: int) -> float:
    """How long a load may take: bound by the API, or by typing and loading what it sends.

    Args:
        records: How many.
        requests: How many.
        page_seconds: What one takes.
        in_flight: How many are under way at a time.
    """
    reading = requests * page_seconds / in_flight
    return _SECONDS_OF_ANY_RUN + max(reading, records / _RECORDS_PER_SECOND)
