"""The table `refunds`."""

from invoiced_pipeline.catalog.model import Column, ForeignKey, Table
from invoiced_pipeline.catalog.shapes import REFUND

REFUNDS = Table(
    name="refunds",
    singular="refund",
    description=(
        "Refunds: money of charges that was paid back to customers. Never add them to transactions "
        "of the type refund: both hold the same money."
    ),
    path="/refunds",
    docs_url="https://developer.invoiced.com/api/refunds",
    listing="filtered",
    columns=(
        *REFUND[:2],
        Column("charge", "bigint", "Charge that was paid back."),
        Column("charge_id", "bigint", "The same ID as charge: use either.", twin="charge"),
        *REFUND[2:],
    ),
    foreign_keys=(ForeignKey("charge", "charges"),),
    filters_by_id=False,
)
