"""Operations on invoices, credit notes and estimates."""

from dataclasses import replace

from invoiced_pipeline.catalog.operations.model import Field, NaturalKey, Operation
from invoiced_pipeline.catalog.operations.shapes import (
    CURRENCY,
    LINE_ITEM,
    METADATA,
    NOTES,
    RATES,
    SHIP_TO,
    booleans,
    customer,
    record_id,
    texts,
)

_DOCS = "https://developer.invoiced.com/api"
_BLOCKED = "subtotal total status viewed client_id client_id_exp created_at updated_at"
_BLOCKED_ON_INVOICES = (
    f"{_BLOCKED} subscription_id date_paid date_bad_debt amount_paid amount_credited paid balance "
    "last_sent attempt_count recalculate_chase payment_plan_id"
)
_BLOCKED_ON_CREDIT_NOTES = (
    "subtotal total status invoice_id amount_applied_to_invoice amount_refunded amount_credited "
    "paid balance"
)
_COMMON = (
    Field(name="name", type="text", description="Title of the document.", nullable=False),
    Field(
        name="number",
        type="text",
        description="Unique among documents of its kind; taken from a sequence by default.",
        nullable=False,
        longest=32,
    ),
    replace(CURRENCY, creation_only=True),
    Field(name="date", type="timestamp", description="Date; now by default.", nullable=False),
    Field(name="purchase_order", type="text", description="Purchase order.", longest=32),
    NOTES,
    *booleans(
        {
            "draft": "Whether it is not issued yet; false by default.",
            "closed": "Whether it is no longer collected; false reopens it.",
            "calculate_taxes": "Whether taxes are calculated.",
        }
    ),
    Field(
        name="send", type="boolean", description="Whether it is emailed when it is created.",
        nullable=False, creation_only=True,
    ),
    Field(
        name="items", type="array", description="Line items; an update replaces all of them.",
        elements=LINE_ITEM,
    ),
    *RATES,
    Field(name="discount", type="number", description="A flat discount.", not_negative=True),
    Field(name="tax", type="number", description="A flat tax.", not_negative=True),
    METADATA,
    Field(name="attachments", type="array", description="Ids of uploaded files.", shown="never"),
    *texts(
        {
            "accounting_system": "Accounting system of the document.",
            "accounting_id": "Id in the accounting system.",
        }
    ),
)  # fmt: skip
_ON_INVOICES = (
    Field(name="due_date", type="timestamp", description="When payment is due."),
    *texts({"payment_terms": "Terms, e.g. `NET 30`; they set due_date."}),
    *booleans(
        {
            "autopay": "Whether it is charged automatically.",
            "chase": "Whether it is chased.",
            "late_fees": "Whether late fees are charged.",
            "sent": "Whether it counts as sent.",
        }
    ),
    Field(
        name="subscription",
        type="integer",
        description="Subscription that it bills.",
        refers_to="subscriptions",
    ),
    Field(name="next_payment_attempt", type="timestamp", description="Next automatic charge."),
    Field(name="next_chase_on", type="timestamp", description="Next chasing step."),
    SHIP_TO,
    Field(name="tags", type="array", description="Tags.", shown="included"),
    Field(
        name="disabled_payment_methods",
        type="any",
        description="Methods not offered.",
        shown="included",
    ),
    Field(
        name="expected_payment_date", type="any", description="Promise to pay.", shown="included"
    ),
    Field(name="delivery", type="any", description="How it is delivered.", shown="never"),
    Field(name="pdf_attachment", type="integer", description="File in place of the PDF."),
)

CREATE_INVOICE = Operation(
    name="create_invoice",
    title="Create invoice",
    description="Issues or drafts an invoice; later changes of its row update it.",
    kind="create",
    method="POST",
    path="/invoices",
    docs_url=f"{_DOCS}/invoices",
    singular="invoice",
    table="invoices",
    fields=(customer(), *_COMMON, *_ON_INVOICES),
    blocked=frozenset(_BLOCKED_ON_INVOICES.split()),
    natural_key=NaturalKey(number="number", marker=True, list_path="/invoices"),
    update_path="/invoices/{id}",
    money="items",
)
UPDATE_INVOICE = Operation(
    name="update_invoice",
    title="Update invoice",
    description="Changes the fields of an invoice that differ from the replica.",
    kind="update",
    method="PATCH",
    path="/invoices/{id}",
    docs_url=f"{_DOCS}/invoices",
    singular="invoice",
    table="invoices",
    parameters=(record_id("invoices", "Invoice"),),
    fields=(customer(required=False), *_COMMON, *_ON_INVOICES),
    blocked=frozenset(_BLOCKED_ON_INVOICES.split()),
    success=frozenset({200}),
)
DELETE_INVOICE = Operation(
    name="delete_invoice",
    title="Delete invoice",
    description="Deletes a draft; an issued invoice is voided, never deleted.",
    kind="delete",
    method="DELETE",
    path="/invoices/{id}",
    docs_url=f"{_DOCS}/invoices",
    singular="invoice",
    table="invoices",
    parameters=(record_id("invoices", "Invoice"),),
    strict=True,
    success=frozenset({200, 204}),
    takes_idempotency_key=False,
    answers_with_record=False,
    void_path="/invoices/{id}/void",
)
ISSUE_CREDIT_NOTE = Operation(
    name="issue_credit_note",
    title="Issue credit note",
    description="Issues a credit note to a customer, or for an invoice.",
    kind="create",
    method="POST",
    path="/credit_notes",
    docs_url=f"{_DOCS}/credit-notes",
    singular="credit note",
    table="credit_notes",
    fields=(
        customer(required=False),
        Field(
            name="invoice",
            type="integer",
            description="Invoice that it is applied to; customer and currency follow from it.",
            refers_to="invoices",
            creation_only=True,
        ),
        *_COMMON,
    ),
    any_of=(("customer", "invoice"),),
    blocked=frozenset(_BLOCKED_ON_CREDIT_NOTES.split()),
    natural_key=NaturalKey(number="number", marker=True, list_path="/credit_notes"),
    update_path="/credit_notes/{id}",
    money="items",
)
CREATE_ESTIMATE = Operation(
    name="create_estimate",
    title="Create estimate",
    description="Creates an estimate; later changes of its row update it.",
    kind="create",
    method="POST",
    path="/estimates",
    docs_url=f"{_DOCS}/estimates",
    singular="estimate",
    table="estimates",
    fields=(
        customer(),
        *_COMMON,
        Field(name="expiration_date", type="timestamp", description="When it expires."),
        *texts({"payment_terms": "Terms of the invoice."}),
        Field(
            name="deposit", type="number", description="Deposit that is asked for.", nullable=False,
            not_negative=True,
        ),
        *booleans({"deposit_paid": "Whether the deposit is paid."}),
        Field(name="approved", type="text", description="Initials of the approver.", longest=10),
        SHIP_TO,
    ),
    blocked=frozenset(f"{_BLOCKED} invoice_id last_sent".split()),
    natural_key=NaturalKey(number="number", marker=True, list_path="/estimates"),
    update_path="/estimates/{id}",
)  # fmt: skip
