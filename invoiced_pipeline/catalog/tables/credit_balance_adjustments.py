"""The table `credit_balance_adjustments`."""

from invoiced_pipeline.catalog.model import Column, ForeignKey, Table
from invoiced_pipeline.catalog.shapes import CREATED_AT, UPDATED_AT

CREDIT_BALANCE_ADJUSTMENTS = Table(
    name="credit_balance_adjustments",
    singular="credit_balance_adjustment",
    description=(
        "Credit balance adjustments: credit granted to customers or taken away again. A view over "
        "transactions with the opposite sign and the same IDs."
    ),
    path="/credit_balance_adjustments",
    docs_url="https://developer.invoiced.com/api/credit-balance-adjustments",
    listing="newest_first",
    columns=(
        Column(
            "id", "bigint", "Adjustment ID, the same as that of its transaction.", contract=True
        ),
        Column("object", "text", "Always `credit_balance_adjustment`.", contract=True),
        Column("customer", "bigint", "Customer whose credit balance changed.", contract=True),
        Column(
            "date",
            "timestamp",
            "When the adjustment took effect (UTC).",
            contract=True,
            is_day=True,
        ),
        Column("currency", "text", "Lower-case ISO 4217 code of the amount.", contract=True),
        Column(
            "amount",
            "decimal",
            (
                "Credit granted, in major currency units; negative where credit is taken away. The "
                "transaction of the same ID has the opposite sign."
            ),
            contract=True,
        ),
        Column("notes", "text", "Notes about the adjustment.", contract=True),
        CREATED_AT,
        UPDATED_AT,
    ),
    foreign_keys=(ForeignKey("customer", "customers", cascades=True),),
    joins=(ForeignKey("id", "transactions"),),
    list_params=(("include", "updated_at"),),
    deletion_event="transaction.deleted",
)
