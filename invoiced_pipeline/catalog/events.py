"""Which tables an event concerns: their rows change with it (API reference, and observed)."""

from collections.abc import Mapping

from invoiced_pipeline.catalog import ALL_TABLES

_TABLES_BY_OBJECT: Mapping[str, tuple[str, ...]] = {
    "charge": ("charges", "payments"),
    "contact": ("contacts",),
    "credit_note": ("credit_notes",),
    "customer": ("customers",),
    "dispute": ("charges",),
    "estimate": ("estimates",),
    "invoice": ("invoices",),
    "line_item": ("pending_line_items",),
    "note": ("notes",),
    "payment": ("payments", "transactions", "credit_balance_adjustments"),
    "payment_plan": ("payment_plans", "invoices"),
    "payment_source": ("payment_sources", "customers"),
    "refund": ("refunds", "charges", "payments", "transactions"),
    "subscription": ("subscriptions",),
    "task": ("tasks",),
    "transaction": ("transactions", "credit_balance_adjustments"),
}
"""By the object of the event's type, such as `invoice` of `invoice.paid`. Transactions and credit
balance adjustments of a payment have no events of their own. Other objects, such as `email`, are in
no table; plans, items, coupons and tax rates have no events."""

_WITHOUT_CHANGE = frozenset({"viewed", "commented"})
"""Somebody read or discussed a document. There may be many such events."""


def tables_concerned(event_type: str) -> frozenset[str]:
    """Returns the names of the tables that an event concerns, such as those of `invoice.paid`."""
    name, _, action = event_type.partition(".")
    tables = _TABLES_BY_OBJECT.get(name, ())
    if not tables or action in _WITHOUT_CHANGE:
        return frozenset()
    if event_type == "customer.merged":
        return frozenset({"events", *tables, *_of_customers()})
    return frozenset({"events", *tables})


def tables_with_events() -> frozenset[str]:
    """Returns the names of all tables that some event concerns."""
    return frozenset({"events"}.union(*_TABLES_BY_OBJECT.values()))


def _of_customers() -> frozenset[str]:
    """Returns the tables whose records belong to a customer: a merge moves them, without events."""
    return frozenset(
        table.name
        for table in ALL_TABLES
        if any(key.table == "customers" for key in (*table.foreign_keys, *table.joins))
    )
