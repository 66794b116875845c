"""The table `notes`."""

from invoiced_pipeline.catalog.model import Column, ForeignKey, Table

NOTES = Table(
    name="notes",
    singular="note",
    description="Notes that users wrote about customers and invoices.",
    path="/notes",
    docs_url="https://developer.invoiced.com/api/notes",
    listing="windowed",
    columns=(
        Column("id", "bigint", "Note ID."),
        Column("object", "text", "Always `note`."),
        Column("notes", "text", "Text of the note.", sensitive=True),
        Column("customer", "bigint", "Customer that the note is about."),
        Column("customer_id", "bigint", "The same ID as customer: use either.", twin="customer"),
        Column("invoice", "bigint", "Invoice that the note is about, null if about none."),
        Column("invoice_id", "bigint", "The same ID as invoice: use either.", twin="invoice"),
        Column("user_id", "bigint", "User who wrote the note."),
        Column("user", "json", "That user's name and e-mail address as JSON.", sensitive=True),
        Column("created_at", "timestamp", "When the note was created (UTC)."),
        Column("updated_at", "timestamp", "When the note last changed (UTC)."),
    ),
    foreign_keys=(
        ForeignKey("customer", "customers", cascades=True),
        # A note outlives its invoice (observed).
        ForeignKey("invoice", "invoices", is_checked=False),
    ),
    deletion_event="note.deleted",
    # Only users, customers and invoices are documented as filters.
    filters_by_id=False,
    has_record_path=False,
)
