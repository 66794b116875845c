"""One tick of the events sensor: one request, and a run if something has changed.

It imports the HTTP client, so definitions must not import it.
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from invoiced_pipeline.defs.events.cursor import EventsCursor, News, first_cursor, news_of
from invoiced_pipeline.defs.replicated_dataset import ReplicatedDataset
from invoiced_pipeline.defs.resources import invoiced_api
from invoiced_pipeline.defs.runs.dead_runs import waiting_runs
from invoiced_pipeline.defs.sync.partition_range import range_tags
from invoiced_pipeline.defs.sync.run_config import sync_config
from invoiced_pipeline.exceptions import InvoicedPipelineError
from invoiced_pipeline.invoiced.http.client import RetryPolicy
from invoiced_pipeline.invoiced.reading.recent_events import RecentEvents, read_recent_events
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.warehouse.open import open_database

_ONE_TRY = RetryPolicy(attempts=1, connect_seconds=5, read_seconds=20)
"""The next tick is the retry: Dagster ends a tick that takes a minute."""


def tick(context: dg.SensorEvaluationContext, dataset: ReplicatedDataset) -> dg.SensorResult:
    """Looks at the events feed, and requests a run for the tables that have changed.

    Whatever goes wrong, the cursor stays, so that the next tick finds the same events.
    """
    overlap = timedelta(minutes=dataset.connection.overlap_minutes)
    cursor = EventsCursor.decode(context.cursor)
    try:
        page = _read(dataset, None if cursor is None else cursor.since(overlap))
        if cursor is None:
            first = first_cursor(page, overlap)
            return _skip("The first tick: events start runs from now on", first)
        selected = {table.name for table in dataset.tables}
        news = news_of(cursor, page, overlap, selected)
        if not news.tables:
            return _skip(f"No table has changed since {_shown(news.cursor.until)}", news.cursor)
        busy = _writer(context.instance, dataset)
    except InvoicedPipelineError as error:
        return _skip(f"{error}. The next tick looks for the same events")
    if busy is not None:
        return _skip(f"{counted(news.events, 'new event')}, but {busy}. A run starts after that")
    return dg.SensorResult(
        run_requests=[_request(context.instance, dataset, news)], cursor=news.cursor.encode()
    )


def _read(dataset: ReplicatedDataset, since: int | None) -> RecentEvents:
    api = invoiced_api(dataset.settings, dataset.connection)
    with api.client(retry_policy=_ONE_TRY) as client:
        return read_recent_events(client, since)


def _writer(instance: dg.DagsterInstance, dataset: ReplicatedDataset) -> str | None:
    """Returns why no run is requested now; None if one is.

    A run that holds the lock may have read a table before the event. One that has not started would
    read all that a second one would, and many of them would fill the queue.
    """
    database = open_database(dataset.settings.warehouse)
    lock = database.lock_state(dataset.name)
    if lock.holder is not None:
        return f"{lock.holder} writes {database.label}"
    waiting = waiting_runs(instance, dataset.name, lock)
    return f"run {waiting[0]} has not started yet" if waiting else None


def _request(instance: dg.DagsterInstance, dataset: ReplicatedDataset, news: News) -> dg.RunRequest:
    connection = dataset.connection
    tables = [table for table in dataset.tables if table.name in news.tables]
    names = [table.name for table in tables]
    return dg.RunRequest(
        run_key=str(news.last),
        # Another run may take the lock first, and Dagster never repeats a run key.
        run_config=sync_config(connection, "sync", when_busy="wait"),
        tags=range_tags(dataset.partitions, instance, connection, names, "sync"),
        asset_selection=[dataset.asset_key(table) for table in tables],
        asset_check_keys=[],  # as the job: otherwise Dagster plans the checks of these assets
    )


def _skip(reason: str, cursor: EventsCursor | None = None) -> dg.SensorResult:
    encoded = None if cursor is None else cursor.encode()
    return dg.SensorResult(skip_reason=dg.SkipReason(reason), cursor=encoded)


def _shown(second: int) -> str:
    return f"{datetime.fromtimestamp(second, UTC):%Y-%m-%d %H:%M:%S} UTC"
