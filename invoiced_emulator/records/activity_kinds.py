"""Kinds of record around others: notes, messages, pending lines, files and webhooks."""

from collections.abc import Mapping

from invoiced_emulator.records.kind import ObjectKind, fields

_MESSAGES: Mapping[str, str] = {
    "email": "email",
    "letter": "letter",
    "text_message": "text_message",
}

ACTIVITY_KINDS = (
    ObjectKind(
        collection="notes",
        object="note",
        title="Note",
        event="note",
        fields=fields(number="user_id customer customer_id invoice invoice_id"),
        honours_updated=True,
        retrieved=False,
        relations={"customer": "customers", "invoice": "invoices"},
    ),
    ObjectKind(
        collection="line_items",
        object="line_item",
        title="Line Item",
        event="line_item",
        fields=fields(
            number="id quantity unit_cost",
            boolean="discountable taxable",
            text="catalog_item name type",
        ),
        metadata=True,
        listed=False,
        retrieved=False,
        relations={"customer": "customers", "catalog_item": "items"},
    ),
    *(
        ObjectKind(
            collection=f"{name}s",
            object=name,
            title=name.replace("_", " ").title(),
            event=event,
            listed=False,
            retrieved=False,
        )
        for name, event in _MESSAGES.items()
    ),
    ObjectKind(collection="files", object="file", title="File", listed=False),
    ObjectKind(
        collection="webhooks",
        object="webhook",
        title="Webhook",
        fields=fields(number="id", boolean="enabled", text="url"),
        retrieved=False,
    ),
    ObjectKind(
        collection="webhook_attempts",
        object="webhook_attempt",
        title="Webhook Attempt",
        fields=fields(number="id webhook_id event_id", boolean="succeeded", text="url"),
        retrieved=False,
    ),
)
