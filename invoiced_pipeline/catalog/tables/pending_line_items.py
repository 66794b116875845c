"""The table `pending_line_items`."""

from invoiced_pipeline.catalog.model import Column, ForeignKey, Parent, Table
from invoiced_pipeline.catalog.shapes import LINE_ITEM, LINE_ITEM_JOINS

PENDING_LINE_ITEMS = Table(
    name="pending_line_items",
    singular="line_item",
    description=(
        "Pending line items: lines that the next invoice of a customer will have. Lines that were "
        "invoiced are marked as deleted here, and are in invoices__items. Optional."
    ),
    path="/customers/{customer_id}/line_items",
    docs_url="https://developer.invoiced.com/api/pending-line-items",
    listing="per_parent",
    parent=Parent(table="customers", column="customer_id"),
    columns=(
        *LINE_ITEM[:2],
        Column("customer_id", "bigint", "Customer who will be billed."),
        Column("customer", "bigint", "The same ID as customer_id: use either.", twin="customer_id"),
        *LINE_ITEM[2:],
    ),
    foreign_keys=(ForeignKey("customer_id", "customers", cascades=True),),
    joins=LINE_ITEM_JOINS,
    deletion_event="line_item.deleted",
    filters_by_id=False,
)
