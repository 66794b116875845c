"""The table `invoices`."""

from invoiced_pipeline.catalog.model import Applied, Balance, Column, ForeignKey, Table
from invoiced_pipeline.catalog.shapes import (
    CREATED_AT,
    DISCOUNTS,
    DOCUMENT_CHILDREN,
    ITEMS,
    METADATA,
    NETWORK_DOCUMENT,
    NETWORK_DOCUMENT_ID,
    SHIP_TO,
    SHIPPING,
    TAXES,
    UPDATED_AT,
)

INVOICES = Table(
    name="invoices",
    singular="invoice",
    description="Invoices: what customers owe; drafts, voided and paid ones are included.",
    path="/invoices",
    docs_url="https://developer.invoiced.com/api/invoices",
    listing="windowed",
    columns=(
        Column("id", "bigint", "Invoice ID.", contract=True),
        Column("object", "text", "Always `invoice`."),
        Column("customer", "bigint", "Customer that is billed.", contract=True),
        Column("name", "text", "Title of the document.", contract=True),
        Column("number", "text", "Invoice number, unique among invoices.", contract=True),
        Column("currency", "text", "Lower-case ISO 4217 code of all amounts.", contract=True),
        Column("date", "timestamp", "Invoice date (UTC).", contract=True, is_day=True),
        Column(
            "due_date",
            "timestamp",
            "When payment is due (UTC), null when the terms name no term.",
            contract=True,
            is_day=True,
        ),
        Column(
            "payment_terms", "text", "Payment terms, e.g. `NET 30` or `AutoPay`.", contract=True
        ),
        Column("purchase_order", "text", "Purchase order number of the customer."),
        Column("notes", "text", "Notes shown to the customer.", contract=True),
        Column("draft", "boolean", "Whether the invoice is not issued yet.", contract=True),
        Column(
            "closed",
            "boolean",
            "True once the invoice is paid or no longer collected; see status for which.",
            contract=True,
        ),
        Column("paid", "boolean", "Whether the invoice is paid in full.", contract=True),
        Column(
            "status",
            "text",
            (
                "State of the invoice. Open: `not_sent`, `sent`, `viewed`, `past_due`, `pending` "
                "(a payment is on its way). Not open: `draft`, `paid`, `voided`, `bad_debt`. "
                "Invoiced's own jobs set it, so `past_due` can appear some time after due_date."
            ),
            contract=True,
        ),
        Column(
            "autopay", "boolean", "Whether the invoice is charged automatically.", contract=True
        ),
        Column(
            "attempt_count", "bigint", "Number of automatic payment attempts so far.", contract=True
        ),
        Column(
            "next_payment_attempt",
            "timestamp",
            "When the next automatic payment attempt is planned (UTC).",
            contract=True,
        ),
        Column("chase", "boolean", "Whether the invoice is chased automatically when overdue."),
        Column("next_chase_on", "timestamp", "When the next chasing step is planned (UTC)."),
        Column(
            "needs_attention",
            "boolean",
            "Whether the invoice is flagged for attention.",
            contract=True,
        ),
        Column("late_fees", "boolean", "Whether late fees are charged on the invoice."),
        Column("subscription_id", "bigint", "Subscription that generated the invoice."),
        Column(
            "subscription",
            "bigint",
            "The same ID as subscription_id: use either.",
            twin="subscription_id",
            contract=True,
        ),
        Column("payment_plan", "bigint", "Payment plan (installments) of the invoice."),
        NETWORK_DOCUMENT_ID,
        NETWORK_DOCUMENT,
        ITEMS,
        DISCOUNTS,
        TAXES,
        SHIPPING,
        Column(
            "subtotal",
            "decimal",
            "Sum of the line items before discounts and taxes, in major currency units.",
            contract=True,
        ),
        Column(
            "total",
            "decimal",
            "subtotal less discounts plus taxes, in major currency units.",
            contract=True,
        ),
        Column(
            "balance",
            "decimal",
            (
                "What is still owed, in major currency units: total less payments and credits; 0 "
                "when voided, negative when overpaid, equal to total for drafts."
            ),
            contract=True,
        ),
        SHIP_TO,
        Column(
            "payment_source",
            "json",
            "Card or bank account pinned to this invoice as JSON, not the customer's default.",
            sensitive=True,
        ),
        Column("url", "text", "Link to the invoice, null when voided."),
        Column("payment_url", "text", "Link to the payment page, null when nothing can be paid."),
        Column("pdf_url", "text", "Link to the invoice as PDF, null when voided."),
        Column("csv_url", "text", "Link to the invoice as CSV, null when voided."),
        METADATA,
        CREATED_AT,
        UPDATED_AT,
    ),
    children=DOCUMENT_CHILDREN,
    foreign_keys=(
        ForeignKey("customer", "customers", cascades=True),
        ForeignKey("subscription", "subscriptions"),
    ),
    open_statuses=("not_sent", "sent", "viewed", "past_due", "pending"),
    deletion_event="invoice.deleted",
    balance=Balance(
        column="balance",
        total="total",
        # While a payment is pending its share is applied already, but not off the balance.
        where="not draft and status not in ('voided', 'pending')",
        applied=(
            Applied(
                table="payments__applied_to",
                key="invoice",
                where="exists (select 1 from payments where payments.id = payment_id "
                "and payments._deleted_at is null)",
            ),
            # Charges and refunds from before payments existed; a payment's own transactions are
            # deleted without an event when it is applied again, its array is always right.
            Applied(
                table="transactions",
                key="invoice",
                amount="case when type in ('payment', 'charge') then amount else -amount end",
                where="payment is null and status = 'succeeded' and _deleted_at is null",
                changed="updated_at",
            ),
        ),
    ),
)
