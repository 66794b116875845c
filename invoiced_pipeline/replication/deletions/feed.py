"""Deletions during a sync: the events feed first, then the transactions that payments gave up.

The feed is read, and its marks are committed, before the first table is read. How far it was read
is kept in dlt's state and commits with the load. So a run that dies in between leaves marks that
are true, and the next run reads the same events again: marking can be repeated. In the other order,
marks after the load, a run that dies between the two would lose its marks.

A record deleted after the feed was read may still be loaded by the same run. Its event lies in the
next sync's window, which reaches back behind the end of this one, and marks the row then.
"""

import logging
from datetime import UTC, datetime

from invoiced_pipeline.catalog import ALL_TABLES, Table
from invoiced_pipeline.exceptions import ApiError, UnavailableError
from invoiced_pipeline.invoiced.reading.events import EventsRead, read_events
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.deletions.absent_records import AbsentRecords
from invoiced_pipeline.replication.deletions.consequences import consequences, customer_columns
from invoiced_pipeline.replication.deletions.context import DeletionContext
from invoiced_pipeline.replication.deletions.vanished_transactions import VanishedTransactions
from invoiced_pipeline.replication.failure_list import cause_of, reason_of
from invoiced_pipeline.replication.server_clock import WRONG_CLOCK, doubtful_window, record_clock

_FEED = "_events"
"""Name in the dataset's state for the clock of the feed."""

logger = logging.getLogger(__name__)


class DeletionFeed:
    """Finds and marks the deletions of one run.

    Attributes:
        vanished: Transactions that vanish with their payments.
        warning: Why deletions are not seen, if the key or the account may not read events.
        error: Why deletions are not known yet.
        cause: The error in words that tables share which failed alike.
        reason: The name of the error's class.
    """

    def __init__(self, context: DeletionContext) -> None:
        self.vanished = VanishedTransactions(context)
        self.warning: str | None = None
        self.error: str | None = None
        self.cause: str | None = None
        self.reason: str | None = None
        self._context = context

    def absent_records(self, table: Table) -> AbsentRecords:
        """Returns what finds deleted records of a table that the API lists per parent."""
        return AbsentRecords(self._context, table)

    def begin(self, dataset: DatasetState) -> None:
        """Reads the feed from where it last ended, and marks what its events say.

        A feed that cannot be read stops no table: see `warning` and `error`.
        """
        self.vanished.begin(dataset)
        try:
            self._take(self._read(dataset), dataset)
        except UnavailableError as error:
            self.warning = (
                f"Deletions are not seen: {error}. Let the key read events, or set deletions = "
                '"ignore"; invoiced-pipeline sweep finds deleted records without events'
            )
            logger.warning(self.warning)
        except ApiError as error:
            self.error = f"{error}. The next sync reads the same events again"
            self.cause, self.reason = cause_of(error), reason_of(error)
        self._read_unselected_payments(dataset)

    def _read(self, dataset: DatasetState) -> EventsRead:
        client, executor, tally = self._context.client, self._context.executor, self._context.tally
        read = read_events(client, self._since(dataset), executor, tally)
        record = dataset.clock(_FEED)
        doubtful = doubtful_window(
            dataset.events_until(),
            record,
            clock=read.clock,
            now=datetime.now(UTC),
            earliest=self._context.request.start_date,
        )
        if doubtful is not None:
            logger.warning("deletions: %s", WRONG_CLOCK)
            since = doubtful.start - self._context.request.overlap
            read = read_events(client, since, executor, tally)
            dataset.set_events_until(read.until)
        if read.clock is not None:
            now = datetime.now(UTC)
            record = record_clock(record, clock=read.clock, now=now, newest=read.newest)
            dataset.set_clock(_FEED, record)
        return read

    def _read_unselected_payments(self, dataset: DatasetState) -> None:
        try:
            self.vanished.read_unselected(dataset)
        except UnavailableError as error:
            self.warning = self.warning or (
                f"Transactions that vanish with a change of their payment are not seen: {error}. "
                "Let the key read payments; invoiced-pipeline sweep finds them without payments"
            )
            logger.warning(self.warning)
        except ApiError as error:
            if self.error is None:
                self.error = f"{error}. The next sync reads the same payments again"
                self.cause, self.reason = cause_of(error), reason_of(error)

    def _since(self, dataset: DatasetState) -> datetime | None:
        """Where the feed last ended; at first where the earliest table ends, if there is one."""
        ends = [dataset.read_until(entry.name) for entry in ALL_TABLES]
        earliest = min((end for end in ends if end is not None), default=None)
        began = dataset.events_until() or earliest
        return None if began is None else began - self._context.request.overlap

    def _take(self, read: EventsRead, dataset: DatasetState) -> None:
        found = consequences(read.events)
        marks = [
            *found.marks,
            *self.vanished.of_deleted(found.doubtful_payments),
            *self.vanished.without_transaction(dataset),
        ]
        self._context.count(self._context.marks.apply(marks))
        for entry in ALL_TABLES:
            if dataset.columns(entry.name) is not None and customer_columns(entry):
                dataset.add_survivors(entry.name, found.survivors)
        dataset.claim(self._context.request)
        # Without a server's clock, a quiet feed would end earlier each time.
        dataset.set_events_until(max(read.until, dataset.events_until() or read.until))
