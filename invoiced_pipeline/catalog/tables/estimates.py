"""The table `estimates`."""

from invoiced_pipeline.catalog.model import Column, ForeignKey, Table
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

ESTIMATES = Table(
    name="estimates",
    singular="estimate",
    description="Estimates: quotes given to customers, which can become invoices.",
    path="/estimates",
    docs_url="https://developer.invoiced.com/api/estimates",
    listing="windowed",
    columns=(
        Column("id", "bigint", "Estimate ID.", contract=True),
        Column("object", "text", "Always `estimate`."),
        Column("customer", "bigint", "Customer that the estimate is for.", contract=True),
        Column(
            "invoice",
            "bigint",
            "Invoice that was generated from the estimate, null until then.",
            contract=True,
        ),
        Column("name", "text", "Title of the document.", contract=True),
        Column("number", "text", "Estimate number, unique among estimates.", contract=True),
        Column("currency", "text", "Lower-case ISO 4217 code of all amounts.", contract=True),
        Column("date", "timestamp", "Estimate date (UTC).", contract=True, is_day=True),
        Column(
            "expiration_date",
            "timestamp",
            "When the estimate expires (UTC), null when it does not.",
            contract=True,
            is_day=True,
        ),
        Column(
            "payment_terms",
            "text",
            "Payment terms of the invoice to come, e.g. `NET 30`.",
            contract=True,
        ),
        Column("purchase_order", "text", "Purchase order number of the customer."),
        Column("notes", "text", "Notes shown to the customer.", contract=True),
        Column("draft", "boolean", "Whether the estimate is not issued yet.", contract=True),
        Column(
            "closed",
            "boolean",
            "Whether the estimate is closed: declined or invoiced.",
            contract=True,
        ),
        Column(
            "approved",
            "boolean",
            (
                "Whether the customer approved. The API sends the approver's initials (text) or "
                "null: initials count as true and stay readable in `approval`."
            ),
            contract=True,
        ),
        Column(
            "approval",
            "json",
            (
                "Proof of the approval as JSON (time, user agent, IP address, initials), null "
                "until approved."
            ),
            sensitive=True,
            contract=True,
        ),
        Column(
            "status",
            "text",
            (
                "State of the estimate. Open: `not_sent`, `sent`, `viewed` (the customer has not "
                "answered) and `approved` (not invoiced yet). Not open: `draft`, `declined`, "
                "`expired`, `invoiced`, `voided`."
            ),
            contract=True,
        ),
        Column("deposit", "decimal", "Deposit asked for, in major currency units.", contract=True),
        Column("deposit_paid", "boolean", "Whether the deposit is paid.", contract=True),
        Column(
            "paid",
            "boolean",
            (
                "Part of the published contract, but the API never sends it for estimates: always "
                "NULL."
            ),
            contract=True,
        ),
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
                "Part of the published contract, but the API never sends it for estimates: always "
                "NULL."
            ),
            contract=True,
        ),
        SHIP_TO,
        NETWORK_DOCUMENT_ID,
        NETWORK_DOCUMENT,
        Column("url", "text", "Link to the estimate, null when voided."),
        Column("pdf_url", "text", "Link to the estimate as PDF, null when voided."),
        METADATA,
        CREATED_AT,
        UPDATED_AT,
    ),
    children=DOCUMENT_CHILDREN,
    foreign_keys=(
        ForeignKey("customer", "customers", cascades=True),
        ForeignKey("invoice", "invoices"),
    ),
    open_statuses=("not_sent", "sent", "viewed", "approved"),
    deletion_event="estimate.deleted",
    filters_by_id=False,
)
