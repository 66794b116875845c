"""The size of a first load, and how long it may take, from counts and measured latency."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.reading.pages import PER_PAGE
from invoiced_pipeline.windows import to_epoch

_RECORDS_PER_SECOND = 7000
_SECONDS_OF_ANY_RUN = 6.0
"""Measured on two cores, 60,000 records (`benchmarks/results.md`): the rate of typing and loading
if the API takes no time, and the duration of a run that loads nothing."""


@dataclass(frozen=True, slots=True)
class FirstLoad:
    """The estimate of a first load.

    Attributes:
        records: Records to read.
        requests: Pages to request.
        page_seconds: How long the API took for a full page.
        seconds: How long the load may take.
    """

    records: int
    requests: int
    page_seconds: float
    seconds: float


def since_params(table: Table, since: datetime | None) -> tuple[tuple[str, str], ...]:
    """Returns parameters that filter a list by `updated_at`, if the list has such a filter."""
    if since is None or table.listing != "windowed":
        return ()
    return (("updated_after", str(to_epoch(since) - 1)),)


def first_load(
    client: InvoicedClient,
    records: Mapping[Table, int],
    since: datetime | None,
    *,
    per_parent: int = 0,
) -> FirstLoad:
    """Reads one page of the largest table, and estimates the load from how long that took.

    Args:
        client: Where to read.
        records: Records of every table.
        since: The start date.
        per_parent: Requests for tables that are listed per parent.

    Raises:
        ApiError: The page cannot be read.
    """
    largest = max(records, key=lambda table: records[table])
    params = (*largest.list_params, *largest.variants[0], *since_params(largest, since))
    began = time.monotonic()
    client.list_page(largest.path, (*params, ("per_page", str(PER_PAGE))))
    page_seconds = time.monotonic() - began
    total = sum(records.values())
    requests = sum(max(1, math.ceil(count / PER_PAGE)) for count in records.values())
    requests += per_parent
    seconds = expected_seconds(total, requests, page_seconds, client.limit.capacity)
    return FirstLoad(total, requests, page_seconds, seconds)


def expected_seconds(records: int, requests: int, page_seconds: float, in_flight: int) -> float:
    """Returns how long a load may take, limited by the API or by typing and loading.

    Args:
        records: Number of records.
        requests: Number of requests.
        page_seconds: Duration of one request.
        in_flight: Number of parallel requests.
    """
    reading = requests * page_seconds / in_flight
    return _SECONDS_OF_ANY_RUN + max(reading, records / _RECORDS_PER_SECOND)
