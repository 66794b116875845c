"""The check of a connection: whether the API can be read, by table, and what is wrong if not."""

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from invoiced_pipeline.catalog import Parent, Table
from invoiced_pipeline.catalog import table as catalog_table
from invoiced_pipeline.exceptions import (
    AccountInactiveError,
    ApiError,
    AuthenticationError,
    FeatureNotEnabledError,
    HostUnreachableError,
    UnavailableError,
)
from invoiced_pipeline.invoiced.first_load import first_load, since_params
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.reading.pages import fetch_page
from invoiced_pipeline.invoiced.reading.per_parent import PerParentReader, Visits
from invoiced_pipeline.plurals import counted

_NEXT_STEP: dict[type[ApiError], str] = {
    AuthenticationError: "bad key",
    AccountInactiveError: "account cancelled",
    HostUnreachableError: "host unreachable",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """What one step of a check found.

    Attributes:
        subject: What was checked: `connection`, a table, `first load`, `schedule` or
            `destination`.
        problem: What is wrong, in a few words; None if nothing is.
        detail: The full text.
        records: Number of records, by the API; None if unknown.
        seconds: The response time of the API, or how long a first load may take.
        connection: The connection; None if it concerns all of them.
        storage_version: The format of the warehouse's file; None for other subjects.
        readers: Which programs can open a file of that format.
        unavailable: Whether it is a table, or the events feed, that the account does not have:
            syncs leave it out and succeed.
        rows: Rows of the table in the warehouse; None if it was not loaded or not checked.
        deleted_rows: Those of them whose records were deleted in Invoiced.
        requests: Requests of its first load, if the table is listed per parent.
    """

    subject: str
    problem: str | None
    detail: str
    records: int | None = None
    seconds: float | None = None
    connection: str | None = None
    storage_version: str | None = None
    readers: str | None = None
    unavailable: bool = False
    rows: int | None = None
    deleted_rows: int | None = None
    requests: int | None = None


def check_tables(
    client: InvoicedClient, tables: Sequence[Table], since: datetime | None = None
) -> Iterator[Finding]:
    """Asks for one record of every table; stops at an error that all tables would have.

    Tables that the account does not have are no problem, unless it has none at all.

    Args:
        client: Where to ask.
        tables: Which tables.
        since: Records updated before it (UTC) are not counted, if the API can filter them.
    """
    is_none_readable = True
    for table in tables:
        finding, is_final = _check(client, table, since)
        yield finding
        if is_final:
            return
        is_none_readable &= finding.unavailable
    if is_none_readable:
        detail = (
            "the API refuses every table: is it the key of the right account, and may its user "
            "read these tables?"
        )
        yield Finding("connection", "no table can be read", detail)


def check_events(client: InvoicedClient) -> Finding | None:
    """Returns why a sync cannot see deletions; None if the events feed can be read."""
    try:
        client.list_page("/events", (("per_page", "1"),))
    except UnavailableError as error:
        detail = (
            f"not available: {error}. Syncs do not see deletions; the weekly sweep finds them, and "
            "so does invoiced-pipeline sweep"
        )
        return Finding("events", None, detail, unavailable=True)
    except ApiError as error:
        return Finding("events", "unexpected response", str(error))
    return None


def check_first_load(
    client: InvoicedClient,
    tables: Sequence[Table],
    found: Sequence[Finding],
    since: datetime | None,
) -> Finding | None:
    """Returns how large a first load is, and how long it may take; None if nothing can be read.

    Args:
        client: Where to ask.
        tables: The tables that were checked.
        found: The findings about them.
        since: The start date.
    """
    counts = {finding.subject: finding.records for finding in found if not finding.problem}
    known = {table: count for table in tables if (count := counts.get(table.name)) is not None}
    if not known:
        return None
    try:
        per_parent = sum(finding.requests or 0 for finding in found)
        load = first_load(client, known, since, per_parent=per_parent)
    except ApiError as error:
        return Finding("first load", "unexpected response", str(error))
    detail = (
        f"{counted(load.records, 'record')} in {counted(load.requests, 'request')}, in about "
        f"{_duration(load.seconds)} ({load.page_seconds:.2f} s for a page, "
        f"{client.limit.capacity} at a time)"
    )
    return Finding("first load", None, detail, load.records, round(load.seconds, 1))


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def _check(client: InvoicedClient, table: Table, since: datetime | None) -> tuple[Finding, bool]:
    began = time.monotonic()
    try:
        requests = _count_parents(client, table)
        records = _count_records(client, table, since) if table.parent is None else None
    except ApiError as error:
        if isinstance(error, UnavailableError):
            detail = f"not available: {error}"
            if isinstance(error, FeatureNotEnabledError) and table.feature:
                detail += f". The feature is {table.feature}: enable it, or exclude the table"
            return Finding(table.name, None, detail, unavailable=True), False
        names = (name for kind, name in _NEXT_STEP.items() if isinstance(error, kind))
        problem = next(names, "unexpected response")
        final = isinstance(error, AuthenticationError | AccountInactiveError | HostUnreachableError)
        return Finding("connection" if final else table.name, problem, str(error)), final
    seconds = time.monotonic() - began
    detail = "readable" if records is None else counted(records, "record") + _scope(table, since)
    if requests is not None and table.parent is not None:
        detail = _first_load_of(table.parent, requests)
    return Finding(table.name, None, detail, records, seconds, requests=requests), False


def _count_records(client: InvoicedClient, table: Table, since: datetime | None) -> int | None:
    """Returns how many records the lists of a table hold; None if the API does not say."""
    records = 0
    for variant in table.variants:
        narrowed = since_params(table, since)
        params = (*table.list_params, *variant, *narrowed, ("per_page", "1"))
        total = client.list_page(table.path, params).total
        if total is None:
            return None
        records += total
    return records


def _count_parents(client: InvoicedClient, table: Table) -> int | None:
    """Returns how many parents a first load asks, and asks the first of them; None without parents.

    Raises:
        ApiError: The parents or the first one's records cannot be read.
    """
    parent = table.parent
    if parent is None:
        return None
    parents = catalog_table(parent.table)
    params = (*parents.list_params, *parent.holder_params)
    page = fetch_page(client, parents.path, params, Tally(), size=1)
    with ThreadPoolExecutor(1) as executor:
        reader = PerParentReader(client, table, Visits(), executor, Tally())
        for stamp in page.stamps[:1]:
            reader.ask(int(stamp.id or 0))
    return page.total


def _first_load_of(parent: Parent, requests: int) -> str:
    singular = catalog_table(parent.table).singular.replace("_", " ")
    which = f" with a {parent.holder.replace('_', ' ')}" if parent.holder else ""
    return (
        f"{counted(requests, 'request')} at the first load, one for each {singular}{which}; later "
        f"one for each that changed"
    )


def _scope(table: Table, since: datetime | None) -> str:
    """Returns which records a count includes, and why a sync may load fewer."""
    day = "" if since is None else f" since {since:%Y-%m-%d}"
    if since_params(table, since):
        return day
    counts, loads = [], []
    if since is not None:
        counts.append("dates")
        loads.append(f"those changed{day}")
    if len(table.variants) > 1:  # several versions may have one id
        counts.append("versions")
        loads.append("one row per id")
    if not counts:
        return ""
    return f" of all {' and '.join(counts)}; a sync loads {', '.join(loads)}"
