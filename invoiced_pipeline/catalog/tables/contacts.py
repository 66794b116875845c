"""The table `contacts`."""

from invoiced_pipeline.catalog.model import Column, ForeignKey, Parent, Table
from invoiced_pipeline.catalog.shapes import CREATED_AT, UPDATED_AT

CONTACTS = Table(
    name="contacts",
    singular="contact",
    description="Contacts: people at a customer who get its messages. Optional.",
    path="/customers/{customer_id}/contacts",
    docs_url="https://developer.invoiced.com/api/contacts",
    listing="per_parent",
    parent=Parent(table="customers", column="customer_id"),
    columns=(
        Column("id", "bigint", "Contact ID."),
        Column("object", "text", "Always `contact`."),
        Column("customer_id", "bigint", "Customer that the contact belongs to."),
        Column("customer", "bigint", "The same ID as customer_id: use either.", twin="customer_id"),
        Column("name", "text", "Name of the person.", sensitive=True),
        Column("email", "text", "Email address, null if there is none.", sensitive=True),
        Column("primary", "boolean", "Whether documents are sent to the contact by default."),
        Column("title", "text", "Job title."),
        Column("department", "text", "Department of the person."),
        Column("phone", "text", "Phone number.", sensitive=True),
        Column("sms_enabled", "boolean", "Whether the contact gets text messages."),
        Column("send_new_invoices", "boolean", "Whether new invoices are sent to the contact."),
        Column("role_id", "bigint", "Contact role, null if there is none."),
        Column("role", "bigint", "The same ID as role_id: use either.", twin="role_id"),
        Column("address1", "text", "First line of the address.", sensitive=True),
        Column("address2", "text", "Second line of the address.", sensitive=True),
        Column("city", "text", "City of the address.", sensitive=True),
        Column("state", "text", "State or province of the address.", sensitive=True),
        Column("postal_code", "text", "Postal code of the address.", sensitive=True),
        Column("country", "text", "Two-letter country code of the address."),
        CREATED_AT,
        UPDATED_AT,
    ),
    foreign_keys=(ForeignKey("customer_id", "customers", cascades=True),),
    deletion_event="contact.deleted",
    filters_by_id=False,
)
