"""Checks of one connection: its key, its tables, its first load and its schedule."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.commands.check_counts import with_rows
from invoiced_pipeline.commands.common.row_totals import known_totals
from invoiced_pipeline.exceptions import ConfigurationError, InvoicedPipelineError
from invoiced_pipeline.invoiced.connection_check import (
    Finding,
    check_events,
    check_first_load,
    check_tables,
)
from invoiced_pipeline.invoiced.http.client import InvoicedClient, RetryPolicy
from invoiced_pipeline.models.installed import check_installed
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.scheduling.schedule import connection_schedule
from invoiced_pipeline.selection.clear_copies import clear_copies
from invoiced_pipeline.selection.privacy import privacy_of
from invoiced_pipeline.selection.tables import tables_of
from invoiced_pipeline.settings import ConnectionSettings, Settings
from invoiced_pipeline.warehouse.open import open_database
from invoiced_pipeline.warehouse.start_date import default_start_date


def check_connection(
    settings: Settings, connection: ConnectionSettings, *, is_readable: bool
) -> Iterator[Finding]:
    """Yields what the checks of a connection found.

    Args:
        settings: All settings.
        connection: Which connection.
        is_readable: Whether rows of the warehouse can be counted.
    """
    try:
        client = InvoicedClient(
            connection.base_url,
            settings.api_key(connection),
            requests_in_flight=connection.requests_in_flight,
            retry_policy=RetryPolicy(attempts=2, connect_seconds=5, read_seconds=20),
            proxy=connection.proxy,
        )
    except InvoicedPipelineError as error:
        yield Finding("connection", "no key", str(error))
    else:
        try:
            tables = tables_of(settings, connection)
        except ConfigurationError as error:
            yield Finding("tables", "bad selection", str(error))
        else:
            yield from _check_privacy(settings, connection)
            yield from _check_api(settings, connection, client, tables, is_readable=is_readable)
        client.close()
    yield _check_schedule(settings, connection)
    if settings.models.enabled:
        yield _check_models(settings, connection)


def _check_models(settings: Settings, connection: ConnectionSettings) -> Finding:
    try:
        check_installed(settings)
    except ConfigurationError as error:
        return Finding("models", "not installed", str(error))
    text = (
        f"documents that have not changed since {_since(settings, connection):%Y-%m-%d} are not "
        "loaded and count nowhere; an earlier start_date loads them"
    )
    return Finding("models", None, text)


def _since(settings: Settings, connection: ConnectionSettings) -> datetime:
    """Returns the start date that a sync would use (UTC)."""
    database = open_database(settings.warehouse)
    return connection.start_date or default_start_date(database, connection.dataset)


def _check_privacy(settings: Settings, connection: ConnectionSettings) -> Iterator[Finding]:
    try:
        privacy_of(connection, settings.hash_salt)
    except ConfigurationError as error:
        yield Finding("tables", "no salt", str(error))
    if clear := clear_copies(settings, connection):
        yield Finding("tables", "copy in clear", clear)


def _check_api(
    settings: Settings,
    connection: ConnectionSettings,
    client: InvoicedClient,
    tables: Sequence[Table],
    *,
    is_readable: bool,
) -> Iterator[Finding]:
    since = _since(settings, connection)
    found = list(check_tables(client, tables, since))
    if not any(finding.subject == "connection" for finding in found):
        way = " through the proxy" if connection.proxy else ""
        detail = f"{connection.base_url} accepts the key{way}; {_in_flight(settings, connection)}"
        yield Finding("connection", None, detail)
    by_name = {table.name: table for table in tables}
    totals = known_totals(settings, connection, list(by_name)) if is_readable else {}
    yield from (with_rows(finding, by_name.get(finding.subject), totals) for finding in found)
    if connection.deletions != "ignore" and not any(each.problem for each in found):
        events = check_events(client)
        if events is not None:
            yield events
    load = check_first_load(client, tables, found, since)
    if load is not None:
        yield load


def _in_flight(settings: Settings, connection: ConnectionSettings) -> str:
    """Returns how many requests are sent at a time, and which connections share them."""
    sharing = [
        each
        for each in settings.connection
        if each is not connection and settings.is_same_account(each, connection)
    ]
    most = min(each.requests_in_flight for each in (connection, *sharing))
    text = f"up to {counted(most, 'request')} at a time, of the 20 that Invoiced allows per key"
    if sharing:
        text += f"; shared with {', '.join(each.name for each in sharing)}, which has the same key"
    return text


def _check_schedule(settings: Settings, connection: ConnectionSettings) -> Finding:
    try:
        schedule = connection_schedule(settings, connection)
    except ConfigurationError as error:
        return Finding("schedule", "bad cron", str(error))
    start = next(schedule.starts_after(datetime.now(UTC)), None)
    if start is None:
        return Finding("schedule", "no start any more", schedule.describe())
    after = f"next start {start:%Y-%m-%d %H:%M} UTC, if the schedule is on"
    return Finding("schedule", None, f"{schedule.describe()}: {after}")
