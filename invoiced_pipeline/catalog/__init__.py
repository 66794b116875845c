"""The tables of Invoiced as data: columns, keys and list endpoints."""

from invoiced_pipeline.catalog.model import (
    Applied,
    Balance,
    ChildTable,
    Column,
    ColumnType,
    ForeignKey,
    Listing,
    Table,
)
from invoiced_pipeline.catalog.tables.charges import CHARGES
from invoiced_pipeline.catalog.tables.coupons import COUPONS
from invoiced_pipeline.catalog.tables.credit_balance_adjustments import CREDIT_BALANCE_ADJUSTMENTS
from invoiced_pipeline.catalog.tables.credit_notes import CREDIT_NOTES
from invoiced_pipeline.catalog.tables.customers import CUSTOMERS
from invoiced_pipeline.catalog.tables.estimates import ESTIMATES
from invoiced_pipeline.catalog.tables.invoices import INVOICES
from invoiced_pipeline.catalog.tables.items import ITEMS
from invoiced_pipeline.catalog.tables.notes import NOTES
from invoiced_pipeline.catalog.tables.payments import PAYMENTS
from invoiced_pipeline.catalog.tables.plans import PLANS
from invoiced_pipeline.catalog.tables.refunds import REFUNDS
from invoiced_pipeline.catalog.tables.subscriptions import SUBSCRIPTIONS
from invoiced_pipeline.catalog.tables.tasks import TASKS
from invoiced_pipeline.catalog.tables.tax_rates import TAX_RATES
from invoiced_pipeline.catalog.tables.transactions import TRANSACTIONS

__all__ = [
    "TABLES",
    "TABLE_NAMES",
    "Applied",
    "Balance",
    "ChildTable",
    "Column",
    "ColumnType",
    "ForeignKey",
    "Listing",
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
"""All tables, in display order."""

TABLE_NAMES: tuple[str, ...] = tuple(entry.name for entry in TABLES)

_BY_NAME = {entry.name: entry for entry in TABLES}


def table(name: str) -> Table:
    """Returns the table `name`; raises KeyError if there is none."""
    return _BY_NAME[name]
