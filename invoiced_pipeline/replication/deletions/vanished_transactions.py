"""Transactions that vanish without an event when a payment is voided, reapplied or deleted.

A payment lists the transactions that it consists of (observed). Any other transaction that the
warehouse holds of the payment is doubtful, and the API is asked for it. If a connection replicates
transactions and no payments, its payments are read for this purpose alone.

Credit balance adjustments are transactions, too, but name no payment. A page of adjustments that
was read before a payment changed can be loaded after its transactions were marked, or when none of
them has a row. So the run after a load looks for adjustments of that load without a transaction.
"""

import contextlib
import logging
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime

import msgspec

from invoiced_pipeline.catalog import table
from invoiced_pipeline.exceptions import UnavailableError
from invoiced_pipeline.invoiced.reading.identifiers import list_identifiers, missing_records
from invoiced_pipeline.invoiced.reading.pages import Page
from invoiced_pipeline.invoiced.reading.table_reader import MAX_CLOCK_ERROR, TableReader
from invoiced_pipeline.nesting import decode
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.deletions.consequences import RecordId, of_transactions
from invoiced_pipeline.replication.deletions.context import DeletionContext
from invoiced_pipeline.replication.server_clock import doubtful_window, record_clock
from invoiced_pipeline.warehouse.deletion_marks import Mark
from invoiced_pipeline.windows import FOREVER, Window

logger = logging.getLogger(__name__)

PAYMENTS = table("payments")
TRANSACTIONS = table("transactions")
ADJUSTMENTS = table("credit_balance_adjustments")

_UNSELECTED = "_payments"
"""Name in the dataset's state for the clock of payments that are not replicated."""

_PAYMENTS_AT_ONCE = 5_000
_WORTH_LISTING = 100
"""Doubtful records above which all ids are listed first: one request then covers a hundred."""


class _Part(msgspec.Struct):
    id: RecordId | None = None


class _Payment(msgspec.Struct):
    id: RecordId | None = None
    customer: RecordId | None = None
    applied_to: msgspec.Raw = msgspec.Raw(b"null")


_payments = msgspec.json.Decoder(list[_Payment])
_parts = msgspec.json.Decoder(list[_Part])


class VanishedTransactions:
    """Finds and marks the transactions that vanished since the last run."""

    def __init__(self, context: DeletionContext) -> None:
        self._context = context
        self._has_transactions = False
        self._has_adjustments_alone = False
        self._applied: dict[RecordId, set[RecordId | None]] = {}
        """The transactions that each payment read lately consists of, by the API."""
        self._payers: set[RecordId] = set()
        self._unseen: set[str] = set()
        """Tables that the account does not have: their doubtful rows stay as they are."""
        self._seen_at: datetime | None = None
        """The server's clock (UTC) with the last page of payments; None if it sends none."""

    def begin(self, dataset: DatasetState) -> None:
        """Notes which of the tables the dataset holds."""
        self._has_transactions = dataset.columns(TRANSACTIONS.name) is not None
        # Adjustments are transactions, too, but not all can be found without that table.
        self._has_adjustments_alone = (
            TRANSACTIONS.name not in self._context.request.selected
            and dataset.columns(ADJUSTMENTS.name) is not None
        )

    def read_unselected(self, dataset: DatasetState) -> None:
        """Reads what changed of payments that the connection does not replicate.

        The first run reads none: transactions that it loads are as the API has them now.

        Args:
            dataset: What the dataset remembers; how far payments were read is noted in it.

        Raises:
            ApiError: They could not be read.
        """
        if PAYMENTS.name in self._context.request.selected:
            return
        if not self._has_transactions and not self._has_adjustments_alone:
            now = dataset.events_until() or datetime.now(UTC) - MAX_CLOCK_ERROR
            dataset.set_payments_until(now)
            return
        earliest = self._context.request.start_date
        since = self._unselected_since(dataset)
        reader = self._read_payments(since)
        now, record = datetime.now(UTC), dataset.clock(_UNSELECTED)
        doubtful = doubtful_window(since, record, clock=reader.clock, now=now, earliest=earliest)
        if doubtful is not None:
            since = doubtful.start
            reader = self._read_payments(since)
        self.settle()
        if reader.clock is not None:
            record = record_clock(record, clock=reader.clock, now=now, newest=reader.newest)
            dataset.set_clock(_UNSELECTED, record)
        dataset.set_payments_until(max((each.end for each in reader.covered()), default=since))

    def _unselected_since(self, dataset: DatasetState) -> datetime:
        """Where payments were last read to; at first the earliest end of their transactions."""
        known = [dataset.payments_until(), dataset.coverage(PAYMENTS.name).until]
        since = max((end for end in known if end is not None), default=None)
        ends = [dataset.coverage(each.name).until for each in (TRANSACTIONS, ADJUSTMENTS)]
        loaded = (end for end in ends if end is not None)
        return since or min(loaded, default=self._context.request.start_date)

    def _read_payments(self, since: datetime) -> TableReader:
        context = self._context
        window = Window(since - context.request.overlap, FOREVER)
        reader = TableReader(context.client, PAYMENTS, (window,), context.executor, context.tally)
        reader.begin()
        for page in filter(None, reader.pages()):
            self.see(page)
        return reader

    @property
    def is_settled(self) -> bool:
        """Whether nothing that was seen waits for `settle`."""
        return not self._applied

    def see(self, page: Page) -> None:
        """Remembers which transactions the payments of a page consist of.

        Raises:
            ApiError: Doubtful transactions could not be looked up.
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
        """Marks what vanished of the payments seen; call it before their coverage commits.

        Raises:
            ApiError: Doubtful transactions could not be looked up.
        """
        marks = self._context.marks
        applied = self._applied
        known = marks.present(TRANSACTIONS.name, "payment", list(applied))
        doubtful = [record for record, payment in known if record not in applied[payment]]
        # `applied_to` need not list all that a payment did, such as a refund.
        gone = self._missing(TRANSACTIONS.name, doubtful)
        gone |= self._missing_adjustments(set().union(*applied.values()))
        at = self._seen_at or datetime.now(UTC)
        self._context.count(marks.apply(of_transactions(gone, at, is_certain=True)))
        self._applied = {}

    def of_deleted(self, doubtful: Mapping[RecordId, datetime]) -> list[Mark]:
        """Returns marks of payments that are deleted, not voided: integrations can do that.

        Args:
            doubtful: Payments that are one or the other by their event (observed), and when (UTC).

        Raises:
            ApiError: They could not be looked up.
        """
        asked, present = list(doubtful), self._context.marks.present
        known = {record for record, _ in present(PAYMENTS.name, "id", asked)}
        known |= {one for _, one in present(TRANSACTIONS.name, "payment", asked)}
        gone = self._missing(PAYMENTS.name, known)
        marks = [
            Mark(PAYMENTS.name, "id", record, doubtful[record], is_certain=True) for record in gone
        ]
        # Not all transactions of a payment go with it: a refund can stay.
        payment_of = dict(present(TRANSACTIONS.name, "payment", list(gone)))
        for record in self._missing(TRANSACTIONS.name, payment_of):
            marks += of_transactions([record], doubtful[payment_of[record]], is_certain=True)
        return marks

    def without_transaction(self, dataset: DatasetState) -> list[Mark]:
        """Returns marks of adjustments that are gone, of the loads since this was last asked.

        Args:
            dataset: What the dataset remembers; the last load that was looked at is noted in it.

        Raises:
            ApiError: They could not be looked up.
        """
        if not self._has_transactions or TRANSACTIONS.name not in self._context.request.selected:
            return []
        if dataset.coverage(TRANSACTIONS.name).until is None:
            return []  # their first read ended early: most adjustments are alone
        alone = self._context.marks.loaded_alone(
            ADJUSTMENTS.name, TRANSACTIONS.name, since=dataset.adjustments_load()
        )
        gone = self._missing_adjustments_of(set(alone.records))
        dataset.set_adjustments_load(alone.until)
        return of_transactions(gone, datetime.now(UTC), is_certain=True)

    def _missing_adjustments(self, applied: set[RecordId | None]) -> set[RecordId]:
        """Adjustments that are gone, of the customers whose payments were seen."""
        payers, self._payers = list(self._payers), set()
        if not self._has_adjustments_alone:
            return set()
        known = self._context.marks.present(ADJUSTMENTS.name, "customer", payers)
        return self._missing_adjustments_of({one for one, _ in known if one not in applied})

    def _missing_adjustments_of(self, doubtful: set[RecordId]) -> set[RecordId]:
        if ADJUSTMENTS.name in self._unseen:
            return set()
        client, executor = self._context.client, self._context.executor
        with self._unless_unavailable(ADJUSTMENTS.name):
            if len(doubtful) > _WORTH_LISTING:
                listed = list_identifiers(client, ADJUSTMENTS, executor, self._context.tally)
                doubtful -= listed.seconds.keys()
            return self._missing(ADJUSTMENTS.name, doubtful)
        return set()

    def _missing(self, name: str, records: Collection[RecordId]) -> set[RecordId]:
        if name in self._unseen:
            return set()
        context = self._context
        with self._unless_unavailable(name):
            return missing_records(
                context.client, table(name), records, context.executor, context.tally
            )
        return set()

    @contextlib.contextmanager
    def _unless_unavailable(self, name: str) -> Iterator[None]:
        """Leaves the rows of a table as they are if the account does not have the table.

        The dataset goes back to them once the table can be read.
        """
        try:
            yield
        except UnavailableError as error:
            self._unseen.add(name)
            logger.warning("Vanished records of %s cannot be found: %s", name, error)


def _applied_on(
    page: Page,
) -> Iterator[tuple[RecordId, RecordId | None, set[RecordId | None]]]:
    """Yields a page's payments with customer and transactions; odd ones are left to the sweep."""
    try:
        payments = decode(_payments, page.body)
    except msgspec.MsgspecError:
        return  # the decoding of records says what is wrong
    for payment in payments:
        with contextlib.suppress(msgspec.MsgspecError):
            parts = decode(_parts, payment.applied_to)
            if payment.id is not None:
                yield payment.id, payment.customer, {part.id for part in parts}
