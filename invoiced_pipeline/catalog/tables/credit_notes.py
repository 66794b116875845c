"""The table `credit_notes`."""

from invoiced_pipeline.catalog.model import Column, ForeignKey, Table
from invoiced_pipeline.catalog.shapes import (
    CREATED_AT,
    DISCOUNTS,
    DOCUMENT_CHILDREN,
    ITEMS,
    METADATA,
    NETWORK_DOCUMENT,
    NETWORK_DOCUMENT_ID,
    SHIPPING,
    TAXES,
    UPDATED_AT,
)

CREDIT_NOTES = Table(
    name="credit_notes",
    singular="credit_note",
    description=(
        "Credit notes: what is owed to customers, to be applied to invoices. Amounts are positive."
    ),
    path="/credit_notes",
    docs_url="https://developer.invoiced.com/api/credit-notes",
    listing="windowed",
    columns=(
        Column("id", "bigint", "Credit note ID.", contract=True),
        Column("object", "text", "Always `credit_note`."),
        Column("customer", "bigint", "Customer that is credited.", contract=True),
        Column(
            "invoice",
            "bigint",
            "Invoice that the credit note was created from, null otherwise.",
            contract=True,
        ),
        Column("name", "text", "Title of the document.", contract=True),
        Column("number", "text", "Credit note number, unique among credit notes.", contract=True),
        Column("currency", "text", "Lower-case ISO 4217 code of all amounts.", contract=True),
        Column("date", "timestamp", "Credit note date (UTC).", contract=True, is_day=True),
        Column("purchase_order", "text", "Purchase order number of the customer."),
        Column("notes", "text", "Notes shown to the customer.", contract=True),
        Column("draft", "boolean", "Whether the credit note is not issued yet.", contract=True),
        Column(
            "closed", "boolean", "Whether the credit note can no longer be applied.", contract=True
        ),
        Column("paid", "boolean", "Whether the credit note is used up.", contract=True),
        Column(
            "status",
            "text",
            "State of the credit note. Open: `open` (balance can be applied). Not open: `draft`, "
            "`paid` (used up), `closed`, `voided`.",
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
            "Credit that is still available, in major currency units; 0 when voided.",
            contract=True,
        ),
        NETWORK_DOCUMENT_ID,
        NETWORK_DOCUMENT,
        Column("url", "text", "Link to the credit note, null when voided."),
        Column("pdf_url", "text", "Link to the credit note as PDF, null when voided."),
        METADATA,
        CREATED_AT,
        UPDATED_AT,
    ),
    children=DOCUMENT_CHILDREN,
    foreign_keys=(
        ForeignKey("customer", "customers", cascades=True),
        ForeignKey("invoice", "invoices"),
    ),
    open_statuses=("open",),
    deletion_event="credit_note.deleted",
)
