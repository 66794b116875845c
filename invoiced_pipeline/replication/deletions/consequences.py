"""What events mean for the warehouse's rows, from the catalog's keys and the API's behaviour."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from invoiced_pipeline.catalog import ALL_TABLES, Table
from invoiced_pipeline.invoiced.reading.events import Event
from invoiced_pipeline.warehouse.deletion_marks import Mark
from invoiced_pipeline.windows import from_epoch

RecordId = int | str


@dataclass(frozen=True, slots=True)
class Consequences:
    """What some events mean.

    Attributes:
        marks: Rows that are gone.
        doubtful_payments: Payments that were voided or deleted, and when (UTC): only the API
            knows which.
        survivors: Customers that others were merged into. The records they got may have no new
            `updated_at` (observed), so they are read again.
    """

    marks: tuple[Mark, ...] = ()
    doubtful_payments: Mapping[RecordId, datetime] = field(default_factory=dict)
    survivors: frozenset[int] = frozenset()


def consequences(events: Iterable[Event]) -> Consequences:
    """Returns what events, in the order in which they were written, mean for the rows.

    `subscription.deleted` is the end of a subscription, and `payment.deleted` usually a void: both
    rows stay. If the API has lost an event's snapshot, the event names no record, and the sweep
    finds it.
    """
    marks: list[Mark] = []
    doubtful: dict[RecordId, datetime] = {}
    absorbed: dict[RecordId, list[RecordId]] = {}
    for event in events:
        record, at = event.snapshot.id, from_epoch(event.at)
        merged = event.snapshot.original_customer
        if record is None:
            continue
        if event.type == "customer.merged":
            if merged is not None and merged.id is not None:
                marks.append(Mark("customers", "id", merged.id, at))
                victims = [merged.id, *absorbed.get(merged.id, ())]
                absorbed.setdefault(record, []).extend(victims)
        elif event.type == "payment.deleted":
            if not event.snapshot.voided:
                doubtful[record] = at
        else:
            marks += _of_record(event.type, record, at)
            marks += _of_owned("invoices", record, at) if event.type == "invoice.deleted" else []
            if event.type == "customer.deleted":
                for customer in (record, *absorbed.get(record, ())):
                    marks += _of_owned("customers", customer, at)
    survivors = frozenset(customer for customer in absorbed if isinstance(customer, int))
    return Consequences(tuple(marks), doubtful, survivors)


def of_transactions(
    ids: Iterable[RecordId], at: datetime, *, is_certain: bool = False
) -> list[Mark]:
    """Returns marks of transactions that are gone, and of adjustments with the same ids."""
    marks = (mark for record in ids for mark in _of_record("transaction.deleted", record, at))
    return [replace(mark, is_certain=is_certain) for mark in marks]


def customer_columns(table: Table) -> tuple[str, ...]:
    """Returns the columns of `table` that hold a customer's id."""
    return tuple(key.column for key in table.foreign_keys if key.table == "customers")


def _of_record(event_type: str, record: RecordId, at: datetime) -> list[Mark]:
    """Returns marks of the rows that an event's record has: two for credit balance adjustments.

    Adjustments are a view of transactions: they share ids and events with them (observed).
    """
    return [
        Mark(table.name, table.primary_key, record, at)
        for table in ALL_TABLES
        if table.deletion_event == event_type
    ]


def _of_owned(parent: str, record: RecordId, at: datetime) -> list[Mark]:
    """Returns marks of all that a record had, which goes with it without events (observed).

    For a customer this includes documents: a customer that still has a document cannot be deleted,
    so documents in the warehouse were deleted earlier, and their events were lost.
    """
    return [
        Mark(table.name, key.column, record, at)
        for table in ALL_TABLES
        for key in table.foreign_keys
        if key.table == parent and key.cascades
    ]
