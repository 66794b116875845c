"""Operations on payments."""

from dataclasses import replace

from invoiced_pipeline.catalog.operations.model import Field, NaturalKey, Operation
from invoiced_pipeline.catalog.operations.shapes import (
    CURRENCY,
    METADATA,
    NOTES,
    booleans,
    customer,
    texts,
)

_SPLIT = (
    Field(
        name="type",
        type="choice",
        description="What this split does.",
        required=True,
        choices=(
            "invoice", "estimate", "credit_note", "applied_credit", "credit", "convenience_fee",
            "document_adjustment",
        ),
    ),
    Field(
        name="amount", type="number", description="Amount of this split.", required=True,
        above_zero=True,
    ),
    Field(name="invoice", type="integer", description="Invoice paid.", refers_to="invoices"),
    Field(name="estimate", type="integer", description="Estimate paid.", refers_to="estimates"),
    Field(
        name="credit_note", type="integer", description="Credit used.", refers_to="credit_notes"
    ),
    Field(
        name="document_type",
        type="choice",
        description="Document that a credit goes to.",
        choices=("invoice", "estimate"),
    ),
    *booleans({"short_pay": "Whether the invoice is paid short."}),
)  # fmt: skip

RECORD_PAYMENT = Operation(
    name="record_payment",
    title="Record payment",
    description="Records money received outside Invoiced and applies it; nobody is charged.",
    kind="create",
    method="POST",
    path="/payments",
    docs_url="https://developer.invoiced.com/api/payments",
    singular="payment",
    table="payments",
    fields=(
        replace(customer(required=False), description="Customer; by default the first document's."),
        Field(
            name="amount", type="number", description="Money received.", required=True,
            nullable=False, not_negative=True,
        ),
        replace(CURRENCY, nullable=True),
        Field(name="date", type="timestamp", description="When it was received; now by default."),
        *texts(
            {
                "method": "E.g. `check` or `wire_transfer`; `other` by default.",
                "reference": "Check number or similar.",
                "source": "Where it was recorded; `keyed` by default.",
                "ach_sender_id": "Sender of an ACH transfer.",
                "accounting_id": "Id in the accounting system.",
                "accounting_system": "Accounting system of the payment.",
            }
        ),
        NOTES,
        Field(
            name="applied_to", type="array", description="What it pays, split by split.",
            elements=_SPLIT,
        ),
        Field(name="attachments", type="array", description="Ids of uploaded files."),
        METADATA,
    ),
    strict=True,
    unwanted=(("invoice", "put it into applied_to: [{type: 'invoice', invoice, amount}]"),),
    natural_key=NaturalKey(marker=True, list_path="/payments"),
    money="amount",
)  # fmt: skip
