"""The table `refunds`."""

from invoiced_pipeline.catalog.model import Column, ForeignKey, Table

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
        Column("id", "bigint", "Refund ID."),
        Column("object", "text", "Always `refund`."),
        Column("charge", "bigint", "Charge that was paid back."),
        Column("charge_id", "bigint", "The same ID as charge: use either.", twin="charge"),
        Column("currency", "text", "Lower-case ISO 4217 code of the amount."),
        Column("amount", "decimal", "Amount paid back, in major currency units; always positive."),
        Column("status", "text", "Outcome: `succeeded`, `pending`, `failed` or `voided`."),
        Column("failure_message", "text", "Why the refund failed, null unless it did."),
        Column("gateway", "text", "Payment gateway that processed it."),
        Column("gateway_id", "text", "Reference of the payment gateway."),
        Column("created_at", "timestamp", "When the refund was created (UTC)."),
        Column("updated_at", "timestamp", "When the refund last changed (UTC)."),
    ),
    foreign_keys=(ForeignKey("charge", "charges"),),
    filters_by_id=False,
)
