"""Deletions in the course of a sync: the events feed first, then what payments gave up.

The feed is read, and its marks are committed, before the first table is read; how far it was read
is kept in dlt's state and commits with the load. So a run that dies in between leaves marks that
are true, and the next one reads the same events again: marking can be repeated. The other order,
marks after the load, would lose the marks of a run that died between the two.

A record deleted after the feed was read may still be loaded by the same run. Its event lies in the
next sync's window, which reaches back behind this one's end, and marks the row then.
"""

import logging
from collections import Counter
from collections.abc import Callable
from concurrent.futures import Executor
from datetime import UTC, datetime

from invoiced_pipeline.catalog import TABLES
from invoiced_pipeline.exceptions import ApiError, UnavailableError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.reading.events import EventsRead, read_events
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.deletions.consequences import (
    consequences,
    customer_columns,
)
from invoiced_pipeline.replication.deletions.vanished_transactions import Vanished
from invoiced_pipeline.replication.failure_list import cause_of
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.replication.wrong_clock import WRONG_CLOCK, doubtful, remember
from invoiced_pipeline.warehouse.deletion_marks import Marks

_FEED = "_events"
"""What the dataset's memory of clocks calls the feed."""

logger = logging.getLogger(__name__)


class DeletionFeed:
    """Finds and notes the deletions of one run.

    Args:
        client: Where to read.
        request: The run's order.
        marks: Where to note.
        executor: Runs requests side by side.
        count: Told how many rows were marked, by table.

    Attributes:
        tally: Its requests.
        vanished: Transactions that go with their payments.
        warning: Why deletions are not seen, where the key or the account may not read events.
        error: Why deletions are not known yet.
        cause: The same in the words that tables share which failed alike.
    """

    def __init__(
        self,
        client: InvoicedClient,
        request: ReplicationRequest,
        marks: Marks,
        executor: Executor,
        count: Callable[[Counter[str]], None],
    ) -> None:
        self.tally = Tally()
        self.warning: str | None = None
        self.error: str | None = None
        self.cause: str | None = None
        self._client = client
        self._request = request
        self._marks = marks
        self._executor = executor
        self._count = count
        self.vanished = Vanished(client, request, marks, executor, self.tally, count)

    def begin(self, dataset: DatasetState) -> None:
        """Reads the feed from where it last ended, and notes what it tells of.

        A feed that cannot be read costs no table: see `warning` and `error`.
        """
        self.vanished.begin(dataset)
        try:
            self._take(self._read(dataset), dataset)
        except UnavailableError as error:
            self.warning = (
                f"Deletions are not seen: {error}. Let the key read events, or set deletions = "
                '"ignore"; invoiced-pipeline sweep finds them without'
            )
            logger.warning(self.warning)
        except ApiError as error:
            self.error = f"{error}. The next sync reads them from where this one began"
            self.cause = cause_of(error)
        self._read_unselected_payments(dataset)

    def _read(self, dataset: DatasetState) -> EventsRead:
        read = read_events(self._client, self._since(dataset), self._executor, self.tally)
        memory = dataset.clock(_FEED)
        question = doubtful(
            dataset.events_until(),
            memory,
            clock=read.clock,
            now=datetime.now(UTC),
            earliest=self._request.start_date,
        )
        if question is not None:
            logger.warning("deletions: %s", WRONG_CLOCK)
            since = question.start - self._request.overlap
            read = read_events(self._client, since, self._executor, self.tally)
            dataset.set_events_until(read.until)
        if read.clock is not None:
            now = datetime.now(UTC)
            found = remember(memory, clock=read.clock, now=now, newest=read.newest)
            dataset.set_clock(_FEED, found)
        return read

    def _read_unselected_payments(self, dataset: DatasetState) -> None:
        try:
            self.vanished.read_unselected(dataset)
        except UnavailableError as error:
            self.warning = self.warning or (
                f"Transactions that vanish with a change of their payment are not seen: {error}. "
                "Let the key read payments; invoiced-pipeline sweep finds them without"
            )
            logger.warning(self.warning)
        except ApiError as error:
            if self.error is None:
                self.error = f"{error}. The next sync reads payments again"
                self.cause = cause_of(error)

    def _since(self, dataset: DatasetState) -> datetime | None:
        """Where the feed last ended; at first where the earliest table does, if there is one."""
        ends = [dataset.coverage(entry.name).until for entry in TABLES]
        earliest = min((end for end in ends if end is not None), default=None)
        began = dataset.events_until() or earliest
        return None if began is None else began - self._request.overlap

    def _take(self, read: EventsRead, dataset: DatasetState) -> None:
        found = consequences(read.events)
        marks = [
            *found.marks,
            *self.vanished.of_deleted(found.doubtful_payments),
            *self.vanished.without_transaction(dataset),
        ]
        self._count(self._marks.apply(marks))
        for entry in TABLES:
            if dataset.columns(entry.name) is not None and customer_columns(entry):
                dataset.add_survivors(entry.name, found.survivors)
        dataset.claim(self._request)
        # Without a server's clock a quiet feed would end earlier every time.
        dataset.set_events_until(max(read.until, dataset.events_until() or read.until))
