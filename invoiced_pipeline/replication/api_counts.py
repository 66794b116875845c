"""The API's own counts of the windows that a run read, to compare the replica with."""

import logging
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.exceptions import ApiError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.reading.record_count import count_records
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.windows import Window

logger = logging.getLogger(__name__)

Counted = tuple[Window, int]


def api_counts(
    client: InvoicedClient, request: ReplicationRequest, reports: Mapping[str, TableReport]
) -> dict[str, list[Counted]]:
    """Returns the windows that were read, with the records that the API has there now, by table.

    A past window can only lose records: a record that changes moves to a later one. Each window
    ends before the overlap, because the newest records may not all be visible yet. A sync that read
    a single page is not counted: all of a page is served at one moment, and the request would cost
    half as much as the sync.
    """
    wanted = [
        (table, window)
        for table in request.tables
        if table.listing == "windowed" and _is_worth_counting(reports[table.name])
        for window in (
            Window(covered.start, covered.end - request.overlap)
            for covered in reports[table.name].covered
        )
        if not window.is_empty
    ]
    counts: dict[str, list[Counted]] = {}
    with ThreadPoolExecutor(client.limit.maximum, thread_name_prefix="invoiced-count") as threads:
        found = threads.map(lambda pair: _count(client, *pair), wanted)
        for (table, window), count in zip(wanted, found, strict=True):
            if count is not None:
                counts.setdefault(table.name, []).append((window, count))
    return counts


def _is_worth_counting(report: TableReport) -> bool:
    if not report.is_complete:
        return False
    return report.mode != "sync" or report.pages > len(report.windows)


def _count(client: InvoicedClient, table: Table, window: Window) -> int | None:
    try:
        return count_records(client, table, window, Tally())
    except ApiError as error:
        logger.warning("%s: the API's records could not be counted: %s", table.name, error)
        return None
