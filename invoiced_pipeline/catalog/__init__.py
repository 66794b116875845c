"""The tables of Invoiced as data: columns, keys and list endpoints."""

from invoiced_pipeline.catalog.model import (
    Applied,
    Balance,
    ChildTable,
    Column,
    ColumnType,
    ForeignKey,
    Listing,
    Parent,
    Table,
)
from invoiced_pipeline.catalog.tables.charges import CHARGES
from invoiced_pipeline.catalog.tables.contacts import CONTACTS
from invoiced_pipeline.catalog.tables.coupons import COUPONS
from invoiced_pipeline.catalog.tables.credit_balance_adjustments import CREDIT_BALANCE_ADJUSTMENTS
from invoiced_pipeline.catalog.tables.credit_notes import CREDIT_NOTES
from invoiced_pipeline.catalog.tables.customers import CUSTOMERS
from invoiced_pipeline.catalog.tables.estimates import ESTIMATES
from invoiced_pipeline.catalog.tables.events import EVENTS
from invoiced_pipeline.catalog.tables.invoices import INVOICES
from invoiced_pipeline.catalog.tables.items import ITEMS
from invoiced_pipeline.catalog.tables.notes import NOTES
from invoiced_pipeline.catalog.tables.payment_plans import PAYMENT_PLANS
from invoiced_pipeline.catalog.tables.payment_sources import PAYMENT_SOURCES
from invoiced_pipeline.catalog.tables.payments import PAYMENTS
from invoiced_pipeline.catalog.tables.pending_line_items import PENDING_LINE_ITEMS
from invoiced_pipeline.catalog.tables.plans import PLANS
from invoiced_pipeline.catalog.tables.refunds import REFUNDS
from invoiced_pipeline.catalog.tables.subscriptions import SUBSCRIPTIONS
from invoiced_pipeline.catalog.tables.tasks import TASKS
from invoiced_pipeline.catalog.tables.tax_rates import TAX_RATES
from invoiced_pipeline.catalog.tables.transactions import TRANSACTIONS

__all__ = [
    "ALL_TABLES",
    "OPTIONAL_TABLES",
    "OPTIONAL_TABLE_NAMES",
    "TABLES",
    "TABLE_NAMES",
    "Applied",
    "Balance",
    "ChildTable",
    "Column",
    "ColumnType",
    "ForeignKey",
    "Listing",
    "Parent",
    "Table",
    "table",
]

TABLES: tuple[Table, ...] = (
    CUSTOMERS,
    INVOICES,
    CREDIT_NOTES,
    ESTIMATES,
    SUBSCRIPTIONS,
    PLANS,
    TRANSACTIONS,
    PAYMENTS,
    CREDIT_BALANCE_ADJUSTMENTS,
    ITEMS,
    COUPONS,
    TAX_RATES,
    NOTES,
    TASKS,
    CHARGES,
    REFUNDS,
)
"""The tables that a connection replicates unless it excludes them, in display order."""

OPTIONAL_TABLES: tuple[Table, ...] = (
    EVENTS,
    CONTACTS,
    PAYMENT_SOURCES,
    PENDING_LINE_ITEMS,
    PAYMENT_PLANS,
)
"""The tables that a connection replicates only if it names them, in display order."""

ALL_TABLES: tuple[Table, ...] = (*TABLES, *OPTIONAL_TABLES)

TABLE_NAMES: tuple[str, ...] = tuple(entry.name for entry in TABLES)

OPTIONAL_TABLE_NAMES: tuple[str, ...] = tuple(entry.name for entry in OPTIONAL_TABLES)

_BY_NAME = {entry.name: entry for entry in ALL_TABLES}


def table(name: str) -> Table:
    """Returns the table `name`; raises KeyError if there is none."""
    return _BY_NAME[name]
