"""The table `transactions`."""

from invoiced_pipeline.catalog.model import Column, ForeignKey, Table
from invoiced_pipeline.catalog.shapes import CREATED_AT, METADATA, PAYMENT_SOURCE, UPDATED_AT

TRANSACTIONS = Table(
    name="transactions",
    singular="transaction",
    description=(
        "Transactions: how the money of each payment moved, one row per document, with refunds and "
        "adjustments. Never add them to payments: both hold the same money."
    ),
    path="/transactions",
    docs_url="https://developer.invoiced.com/api",
    listing="windowed",
    columns=(
        Column("id", "bigint", "Transaction ID.", contract=True),
        Column("object", "text", "Always `transaction`."),
        Column("customer", "bigint", "Customer whose money moved.", contract=True),
        Column("date", "timestamp", "When the money moved (UTC).", contract=True, is_day=True),
        Column(
            "type",
            "text",
            (
                "Kind of movement: `payment`, `charge`, `refund`, `adjustment` or "
                "`document_adjustment`."
            ),
            contract=True,
        ),
        Column("status", "text", "Outcome: `succeeded`, `pending` or `failed`.", contract=True),
        Column(
            "failure_reason",
            "text",
            "Why the transaction failed; sent for failed ones only.",
            contract=True,
        ),
        Column(
            "method",
            "text",
            (
                "How it was paid, free text such as `ach`, `balance`, `cash`, `check`, "
                "`credit_card` or `wire_transfer`."
            ),
            contract=True,
        ),
        Column("currency", "text", "Lower-case ISO 4217 code of the amount.", contract=True),
        Column(
            "amount",
            "decimal",
            (
                "Amount moved, in major currency units. Positive: `payment`, `charge`, and also "
                "`refund`, which is money paid back. Negative: an `adjustment` that grants "
                "credit, or a credit note that is applied."
            ),
            contract=True,
        ),
        Column("notes", "text", "Notes about the transaction.", contract=True),
        Column("gateway", "text", "Payment gateway that processed it.", contract=True),
        Column("gateway_id", "text", "Reference of the payment gateway.", contract=True),
        PAYMENT_SOURCE,
        Column(
            "parent_transaction",
            "bigint",
            "Transaction that this one belongs to, e.g. the charge of a refund.",
            contract=True,
        ),
        Column("invoice", "bigint", "Invoice that the money was applied to.", contract=True),
        Column("credit_note", "bigint", "Credit note that was applied.", contract=True),
        Column("estimate", "bigint", "Estimate whose deposit was paid."),
        Column("payment_id", "bigint", "Payment that the transaction is part of."),
        Column("payment", "bigint", "The same ID as payment_id: use either.", twin="payment_id"),
        Column("pdf_url", "text", "Link to the receipt as PDF."),
        METADATA,
        CREATED_AT,
        UPDATED_AT,
    ),
    foreign_keys=(
        ForeignKey("customer", "customers", cascades=True),
        ForeignKey("invoice", "invoices"),
        ForeignKey("credit_note", "credit_notes"),
        ForeignKey("parent_transaction", "transactions"),
        ForeignKey("payment", "payments", cascades=True),
    ),
    joins=(ForeignKey("estimate", "estimates"),),
    deletion_event="transaction.deleted",
)
