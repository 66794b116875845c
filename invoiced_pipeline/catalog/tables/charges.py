"""The table `charges`."""

from invoiced_pipeline.catalog.model import Column, ForeignKey, Table

CHARGES = Table(
    name="charges",
    singular="charge",
    description=(
        "Charges of cards and bank accounts, also those that failed. The payment that a charge "
        "made holds a copy, which can be older: a charge changes without its payment."
    ),
    path="/charges",
    docs_url="https://developer.invoiced.com/api/charges",
    listing="filtered",
    columns=(
        Column("id", "bigint", "Charge ID."),
        Column("object", "text", "Always `charge`."),
        Column("customer", "bigint", "Customer who was charged."),
        Column("customer_id", "bigint", "The same ID as customer: use either.", twin="customer"),
        Column("payment", "bigint", "Payment that the charge made, null if it made none."),
        Column("payment_id", "bigint", "The same ID as payment: use either.", twin="payment"),
        Column("currency", "text", "Lower-case ISO 4217 code of all amounts."),
        Column("amount", "decimal", "Amount charged, in major currency units."),
        Column("status", "text", "Outcome: `succeeded`, `pending` or `failed`."),
        Column("failure_message", "text", "Why the charge failed, null unless it did."),
        Column("amount_refunded", "decimal", "Amount paid back, in major currency units."),
        Column("refunded", "boolean", "Whether the whole amount was paid back."),
        Column("disputed", "boolean", "Whether the customer disputes the charge."),
        Column("gateway", "text", "Payment gateway that processed it."),
        Column("gateway_id", "text", "Reference of the payment gateway."),
        Column("receipt_email", "text", "Address that the receipt went to.", sensitive=True),
        Column("description", "text", "Text of the charge."),
        Column(
            "payment_source",
            "json",
            "Card or bank account that was charged as JSON.",
            sensitive=True,
        ),
        Column(
            "refunds",
            "json",
            (
                "Refunds of the charge as a JSON array. They are rows of the table refunds, where "
                "their status can be newer."
            ),
        ),
        Column("merchant_account_id", "bigint", "Merchant account that received the money."),
        Column(
            "merchant_account_transaction_id",
            "bigint",
            "Transaction of the merchant account.",
        ),
        Column("payment_flow_id", "bigint", "Payment flow through which the customer paid."),
        Column("created_at", "timestamp", "When the charge was created (UTC)."),
        Column("updated_at", "timestamp", "When the charge last changed (UTC)."),
    ),
    foreign_keys=(
        # A charge outlives its customer, and with the customer its payment (assumed).
        ForeignKey("customer", "customers", is_checked=False),
        ForeignKey("payment", "payments", is_checked=False),
    ),
    filters_by_id=False,
)
