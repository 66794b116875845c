"""What events mean for which rows: pure, from the catalog's keys and what the service does."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from invoiced_pipeline.catalog import TABLES, Table
from invoiced_pipeline.invoiced.reading.events import Event
from invoiced_pipeline.warehouse.deletion_marks import Mark
from invoiced_pipeline.windows import from_epoch

RecordId = int | str

_OWNED = tuple(
    table for table in TABLES if any(key.column == "customer" for key in table.foreign_keys)
)


@dataclass(frozen=True, slots=True)
class Consequences:
    """What some events ask for.

    Attributes:
        marks: Rows that are gone.
        doubtful_payments: Payments that were voided or deleted, and when (UTC): only the API can
            tell which.
        survivors: Customers into which others were merged: what was re-pointed to them may show
            no new `updated_at` (observed), so it has to be fetched again.
    """

    marks: tuple[Mark, ...] = ()
    doubtful_payments: Mapping[RecordId, datetime] = field(default_factory=dict)
    survivors: frozenset[int] = frozenset()


def consequences(events: Iterable[Event]) -> Consequences:
    """What events, in the order in which they were written, mean for the warehouse's rows.

    `subscription.deleted` is a subscription's end, and `payment.deleted` mostly a void: both rows
    stay. An event whose snapshot the API has lost names no record; the sweep finds that one.
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
            if event.type == "customer.deleted":
                for customer in (record, *absorbed.get(record, ())):
                    marks += _of_customer(customer, at)
    survivors = frozenset(customer for customer in absorbed if isinstance(customer, int))
    return Consequences(tuple(marks), doubtful, survivors)


def of_transactions(
    ids: Iterable[RecordId], at: datetime, *, is_certain: bool = False
) -> list[Mark]:
    """Marks of transactions that are gone, and of the adjustments that share their ids."""
    marks = (mark for record in ids for mark in _of_record("transaction.deleted", record, at))
    return [replace(mark, is_certain=is_certain) for mark in marks]


def customer_columns(table: Table) -> tuple[str, ...]:
    """Columns of `table` that hold a customer's id."""
    return tuple(key.column for key in table.foreign_keys if key.table == "customers")


def _of_record(event_type: str, record: RecordId, at: datetime) -> list[Mark]:
    """The rows that an event's record has: two for credit balance adjustments.

    They are a view of transactions, share their ids, and their events are called so (observed).
    """
    return [
        Mark(table.name, table.primary_key, record, at)
        for table in TABLES
        if table.deletion_event == event_type
    ]


def _of_customer(customer: RecordId, at: datetime) -> list[Mark]:
    """All that a customer had goes with it, without events (observed).

    Documents are among it: a customer that still has one cannot be deleted. What the warehouse
    holds of them has gone before, and its event was lost.
    """
    return [Mark(table.name, "customer", customer, at) for table in _OWNED]
