"""Deletions in the course of a sync: the events feed first, then what payments gave up.

The feed is read, and its marks are committed, before the first table is read; how far it was read
is kept in dlt's state and commits with the load. So a run that dies in between leaves marks that
are true, and the next one reads the same events again: marking can be repeated. The other order,
marks after the load, would lose the marks of a run that died between the two.

A record deleted after the feed was read may still be loaded by the same run. Its event lies in the
next sync's window, which reaches back behind this one's end, and marks the row then.
"""

import contextlib
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor
from datetime import UTC, datetime

import msgspec

from invoiced_pipeline.catalog import TABLES, table
from invoiced_pipeline.exceptions import ApiError, FeatureNotEnabledError, PermissionDeniedError
from invoiced_pipeline.invoiced.client import InvoicedClient
from invoiced_pipeline.invoiced.events import EventsRead, read_events
from invoiced_pipeline.invoiced.identifiers import missing_records
from invoiced_pipeline.invoiced.pages import Page
from invoiced_pipeline.invoiced.tally import Tally
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.deletions import (
    RecordId,
    consequences,
    customer_columns,
    of_transactions,
)
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.warehouse.marks import Mark, Marks

logger = logging.getLogger(__name__)

PAYMENTS = table("payments")
TRANSACTIONS = table("transactions")
_PAYMENTS_AT_ONCE = 5_000


class _Part(msgspec.Struct):
    id: RecordId | None = None


class _Payment(msgspec.Struct):
    id: RecordId | None = None
    applied_to: msgspec.Raw = msgspec.Raw(b"null")


_payments = msgspec.json.Decoder(list[_Payment])
_parts = msgspec.json.Decoder(list[_Part])


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
        warning: Why deletions are not seen, where the key or the account may not read events.
        error: Why deletions are not known yet.
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
        self._client = client
        self._request = request
        self._marks = marks
        self._executor = executor
        self._count = count
        self._has_transactions = False
        self._applied: dict[RecordId, set[RecordId | None]] = {}
        """The transactions that each payment read lately consists of, as the API has it."""
        self._seen_at: datetime | None = None
        """The server's clock (UTC) when it last showed payments, if it shows one."""

    def begin(self, dataset: DatasetState) -> None:
        """Reads the feed from where it last ended, and notes what it tells of.

        A feed that cannot be read costs no table: see `warning` and `error`.
        """
        self._has_transactions = dataset.columns(TRANSACTIONS.name) is not None
        try:
            since = self._since(dataset)
            read = read_events(self._client, since, self._executor, self.tally)
            self._take(read, dataset)
        except (PermissionDeniedError, FeatureNotEnabledError) as error:
            self.warning = (
                f"Deletions are not seen: {error}. Let the key read events, or set deletions = "
                '"ignore"; invoiced-pipeline sweep finds them without'
            )
            logger.warning(self.warning)
        except ApiError as error:
            self.error = f"deletions: {error}; the next sync reads them from where this one began"

    def see_payments(self, page: Page) -> None:
        """Remembers which transactions the payments of a page consist of.

        Raises:
            ApiError: Doubtful transactions could not be asked for.
        """
        if not self._has_transactions:
            return
        self._applied.update(_applied_on(page))
        self._seen_at = page.server_time
        if len(self._applied) >= _PAYMENTS_AT_ONCE:
            self.settle_payments()

    def settle_payments(self) -> None:
        """Notes transactions that vanished when a payment was voided or applied anew.

        There are no events for them (observed). Called before the payments' coverage commits.

        Raises:
            ApiError: Doubtful transactions could not be asked for.
        """
        applied, self._applied = self._applied, {}
        known = self._marks.present(TRANSACTIONS.name, "payment", list(applied))
        doubtful = [record for record, payment in known if record not in applied[payment]]
        # `applied_to` need not show all that a payment did, such as a refund.
        gone = self._missing(TRANSACTIONS.name, doubtful)
        at = self._seen_at or datetime.now(UTC)
        self._count(self._marks.apply(of_transactions(gone, at, is_certain=True)))

    def _since(self, dataset: DatasetState) -> datetime | None:
        """Where the feed last ended; at first where the earliest table does, if there is one."""
        ends = [dataset.coverage(entry.name).until for entry in TABLES]
        earliest = min((end for end in ends if end is not None), default=None)
        began = dataset.events_until() or earliest
        return None if began is None else began - self._request.overlap

    def _take(self, read: EventsRead, dataset: DatasetState) -> None:
        found = consequences(read.events)
        marks = [*found.marks, *self._of_payments(found.doubtful_payments)]
        self._count(self._marks.apply(marks))
        for entry in TABLES:
            if dataset.columns(entry.name) is not None and customer_columns(entry):
                dataset.add_survivors(entry.name, found.survivors)
        dataset.claim(self._request)
        # Without a server's clock a quiet feed would end earlier every time.
        dataset.set_events_until(max(read.until, dataset.events_until() or read.until))

    def _of_payments(self, doubtful: Mapping[RecordId, datetime]) -> list[Mark]:
        """Marks of payments that are gone, not voided: integrations can do that (observed)."""
        known = [record for record, _ in self._marks.present(PAYMENTS.name, "id", list(doubtful))]
        gone = self._missing(PAYMENTS.name, known)
        marks = [
            Mark(PAYMENTS.name, "id", record, doubtful[record], is_certain=True) for record in gone
        ]
        for record, payment in self._marks.present(TRANSACTIONS.name, "payment", list(gone)):
            marks += of_transactions([record], doubtful[payment])
        return marks

    def _missing(self, name: str, records: list[RecordId]) -> set[RecordId]:
        return missing_records(self._client, table(name), records, self._executor, self.tally)


def _applied_on(page: Page) -> Iterator[tuple[RecordId, set[RecordId | None]]]:
    """Payments of a page with their transactions; odd ones are left to the sweep."""
    try:
        payments = _payments.decode(page.body)
    except msgspec.MsgspecError:
        return  # the decoding of records says what is wrong
    for payment in payments:
        with contextlib.suppress(msgspec.MsgspecError):
            parts = _parts.decode(payment.applied_to)
            if payment.id is not None:
                yield payment.id, {part.id for part in parts}
