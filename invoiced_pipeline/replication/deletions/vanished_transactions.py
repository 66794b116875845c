"""Transactions that vanish when payments are voided, applied anew or deleted: without events.

A payment that is read says which transactions it consists of (observed): whatever else the
warehouse holds of it is doubtful, and the API is asked for it. A connection that replicates
transactions and no payments has its payments read for this alone.

Credit balance adjustments are transactions, too, and name no payment. A page of them that was read
before a payment changed can be loaded after its transactions were marked, or without any row of
them. So the run after a load looks for adjustments of it that have no transaction.
"""

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from concurrent.futures import Executor
from datetime import UTC, datetime, timedelta

import msgspec

from invoiced_pipeline.catalog import table
from invoiced_pipeline.exceptions import UnavailableError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.reading.identifiers import list_identifiers, missing_records
from invoiced_pipeline.invoiced.reading.pages import Page
from invoiced_pipeline.invoiced.reading.table_reading import Reading
from invoiced_pipeline.nesting import decode
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.deletions.consequences import RecordId, of_transactions
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.replication.wrong_clock import doubtful, remember
from invoiced_pipeline.warehouse.deletion_marks import Mark, Marks
from invoiced_pipeline.windows import FOREVER, Window

logger = logging.getLogger(__name__)

PAYMENTS = table("payments")
TRANSACTIONS = table("transactions")
ADJUSTMENTS = table("credit_balance_adjustments")

_UNSELECTED = "_payments"
"""What the dataset's memory of clocks calls payments that are not replicated."""

_PAYMENTS_AT_ONCE = 5_000
_SURELY_PAST = timedelta(days=1)
"""No clock is wrong by more."""
_WORTH_LISTING = 100
"""Doubtful records above which all ids are listed first: a request tells of a hundred then."""


class _Part(msgspec.Struct):
    id: RecordId | None = None


class _Payment(msgspec.Struct):
    id: RecordId | None = None
    customer: RecordId | None = None
    applied_to: msgspec.Raw = msgspec.Raw(b"null")


_payments = msgspec.json.Decoder(list[_Payment])
_parts = msgspec.json.Decoder(list[_Part])


class Vanished:
    """Finds and notes such transactions of one run.

    Args:
        client: Where to read.
        request: The run's order.
        marks: Where to note.
        executor: Runs requests side by side.
        tally: Where requests are counted.
        count: Told how many rows were marked, by table.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - as the feed's, which it is part of
        self,
        client: InvoicedClient,
        request: ReplicationRequest,
        marks: Marks,
        executor: Executor,
        tally: Tally,
        count: Callable[[Counter[str]], None],
    ) -> None:
        self._client = client
        self._request = request
        self._marks = marks
        self._executor = executor
        self._tally = tally
        self._count = count
        self._has_transactions = False
        self._has_adjustments_alone = False
        self._applied: dict[RecordId, set[RecordId | None]] = {}
        """The transactions that each payment read lately consists of, as the API has it."""
        self._payers: set[RecordId] = set()
        self._unseen: set[str] = set()
        """Tables that the account does not have: their doubtful rows stay as they are."""
        self._seen_at: datetime | None = None
        """The server's clock (UTC) when it last showed payments, if it shows one."""

    def begin(self, dataset: DatasetState) -> None:
        """Learns what the dataset holds."""
        self._has_transactions = dataset.columns(TRANSACTIONS.name) is not None
        # They are transactions, too, and not all of them are found without the table.
        self._has_adjustments_alone = (
            TRANSACTIONS.name not in self._request.selected
            and dataset.columns(ADJUSTMENTS.name) is not None
        )

    def read_unselected(self, dataset: DatasetState) -> None:
        """Reads payments that the connection does not replicate, since they were last read.

        At first there are no transactions yet: those that come are as the API has them now.

        Args:
            dataset: What it remembers; how far they were read is noted there.

        Raises:
            ApiError: They could not be read.
        """
        if PAYMENTS.name in self._request.selected:
            return
        if not self._has_transactions and not self._has_adjustments_alone:
            now = dataset.events_until() or datetime.now(UTC) - _SURELY_PAST
            dataset.set_payments_until(now)
            return
        ends = [dataset.coverage(each.name).until for each in (TRANSACTIONS, ADJUSTMENTS)]
        known = [dataset.payments_until(), dataset.coverage(PAYMENTS.name).until]
        since = max((end for end in known if end is not None), default=None)
        loaded = (end for end in ends if end is not None)
        since = since or min(loaded, default=self._request.start_date)
        window = Window(since - self._request.overlap, FOREVER)
        reading = Reading(self._client, PAYMENTS, (window,), self._executor, self._tally)
        reading.begin()
        for page in filter(None, reading.pages()):
            self.see(page)
        now, memory = datetime.now(UTC), dataset.clock(_UNSELECTED)
        earliest = self._request.start_date
        question = doubtful(since, memory, clock=reading.clock, now=now, earliest=earliest)
        if question is not None:
            window = Window(question.start - self._request.overlap, FOREVER)
            reading = Reading(self._client, PAYMENTS, (window,), self._executor, self._tally)
            reading.begin()
            for page in filter(None, reading.pages()):
                self.see(page)
            since = question.start
        self.settle()
        if reading.clock is not None:
            found = remember(memory, clock=reading.clock, now=now, newest=reading.newest)
            dataset.set_clock(_UNSELECTED, found)
        dataset.set_payments_until(max((each.end for each in reading.covered()), default=since))

    def see(self, page: Page) -> None:
        """Remembers which transactions the payments of a page consist of.

        Raises:
            ApiError: Doubtful transactions could not be asked for.
        """
        if not self._has_transactions and not self._has_adjustments_alone:
            return
        for payment, customer, parts in _applied_on(page):
            self._applied[payment] = parts
            if customer is not None:
                self._payers.add(customer)
        self._seen_at = page.server_time
        if len(self._applied) >= _PAYMENTS_AT_ONCE:
            self.settle()

    def settle(self) -> None:
        """Notes what vanished of the payments seen; called before the payments' coverage commits.

        Raises:
            ApiError: Doubtful transactions could not be asked for.
        """
        applied, self._applied = self._applied, {}
        known = self._marks.present(TRANSACTIONS.name, "payment", list(applied))
        doubtful = [record for record, payment in known if record not in applied[payment]]
        # `applied_to` need not show all that a payment did, such as a refund.
        gone = self._missing(TRANSACTIONS.name, doubtful)
        gone |= self._missing_adjustments(set().union(*applied.values()))
        at = self._seen_at or datetime.now(UTC)
        self._count(self._marks.apply(of_transactions(gone, at, is_certain=True)))

    def of_deleted(self, doubtful: Mapping[RecordId, datetime]) -> list[Mark]:
        """Marks of payments that are gone, not voided: integrations can do that (observed).

        Args:
            doubtful: Payments of which an event tells that they are one or the other, and when.

        Raises:
            ApiError: They could not be asked for.
        """
        asked = list(doubtful)
        known = {record for record, _ in self._marks.present(PAYMENTS.name, "id", asked)}
        known |= {one for _, one in self._marks.present(TRANSACTIONS.name, "payment", asked)}
        gone = self._missing(PAYMENTS.name, known)
        marks = [
            Mark(PAYMENTS.name, "id", record, doubtful[record], is_certain=True) for record in gone
        ]
        for record, payment in self._marks.present(TRANSACTIONS.name, "payment", list(gone)):
            marks += of_transactions([record], doubtful[payment])
        return marks

    def without_transaction(self, dataset: DatasetState) -> list[Mark]:
        """Marks of adjustments that are gone of those loaded since the last run that looked.

        Args:
            dataset: What it remembers; up to which load was looked is noted there.

        Raises:
            ApiError: They could not be asked for.
        """
        if not self._has_transactions or TRANSACTIONS.name not in self._request.selected:
            return []
        alone = self._marks.loaded_alone(
            ADJUSTMENTS.name, TRANSACTIONS.name, since=dataset.adjustments_load()
        )
        gone = self._missing_adjustments_of(set(alone.records))
        dataset.set_adjustments_load(alone.until)
        return of_transactions(gone, datetime.now(UTC), is_certain=True)

    def _missing_adjustments(self, applied: set[RecordId | None]) -> set[RecordId]:
        """Adjustments that are gone of customers whose payments were seen."""
        payers, self._payers = list(self._payers), set()
        if not self._has_adjustments_alone:
            return set()
        known = self._marks.present(ADJUSTMENTS.name, "customer", payers)
        return self._missing_adjustments_of({one for one, _ in known if one not in applied})

    def _missing_adjustments_of(self, doubtful: set[RecordId]) -> set[RecordId]:
        if ADJUSTMENTS.name in self._unseen:
            return set()
        with self._unless_unavailable(ADJUSTMENTS.name):
            if len(doubtful) > _WORTH_LISTING:
                listed = list_identifiers(self._client, ADJUSTMENTS, self._executor, self._tally)
                doubtful -= listed.seconds.keys()
            return self._missing(ADJUSTMENTS.name, doubtful)
        return set()

    def _missing(self, name: str, records: Collection[RecordId]) -> set[RecordId]:
        if name in self._unseen:
            return set()
        with self._unless_unavailable(name):
            return missing_records(self._client, table(name), records, self._executor, self._tally)
        return set()

    @contextlib.contextmanager
    def _unless_unavailable(self, name: str) -> Iterator[None]:
        """Leaves rows of a table alone that the account does not have.

        The dataset goes back to them once the table can be read.
        """
        try:
            yield
        except UnavailableError as error:
            self._unseen.add(name)
            logger.warning("Records of %s that vanished are not seen: %s", name, error)


def _applied_on(
    page: Page,
) -> Iterator[tuple[RecordId, RecordId | None, set[RecordId | None]]]:
    """Payments of a page with customer and transactions; odd ones are left to the sweep."""
    try:
        payments = decode(_payments, page.body)
    except msgspec.MsgspecError:
        return  # the decoding of records says what is wrong
    for payment in payments:
        with contextlib.suppress(msgspec.MsgspecError):
            parts = decode(_parts, payment.applied_to)
            if payment.id is not None:
                yield payment.id, payment.customer, {part.id for part in parts}
