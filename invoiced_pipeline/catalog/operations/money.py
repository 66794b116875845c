"""Operations on payments, subscriptions and tasks."""

from dataclasses import replace

from invoiced_pipeline.catalog.operations.model import Field, NaturalKey, Operation
from invoiced_pipeline.catalog.operations.shapes import (
    CURRENCY,
    METADATA,
    NOTES,
    RATES,
    SHIP_TO,
    booleans,
    customer,
    texts,
)

_SPLIT = (
    Field(
        name="type",
        type="choice",
        description="What the share does.",
        required=True,
        choices=(
            "invoice", "estimate", "credit_note", "applied_credit", "credit", "convenience_fee",
            "document_adjustment",
        ),
    ),
    Field(
        name="amount", type="number", description="Share of the payment.", required=True,
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
    description="Records money received outside of Invoiced and applies it; it charges nobody.",
    kind="create",
    method="POST",
    path="/payments",
    docs_url="https://developer.invoiced.com/api/payments",
    singular="payment",
    table="payments",
    fields=(
        replace(customer(required=False), description="Customer; else the first document's."),
        Field(
            name="amount", type="number", description="Money received.", required=True,
            nullable=False, not_negative=True,
        ),
        replace(CURRENCY, nullable=True),
        Field(name="date", type="timestamp", description="When it was received; now by default."),
        *texts(
            {
                "method": "E.g. `check` or `wire_transfer`; `other` by default.",
                "reference": "Check number or the like.",
                "source": "Where it was recorded; `keyed` by default.",
                "ach_sender_id": "Sender of an ACH transfer.",
                "accounting_id": "Id in the accounting system.",
                "accounting_system": "Accounting system that the payment comes from.",
            }
        ),
        NOTES,
        Field(
            name="applied_to", type="array", description="What it pays, share by share.",
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
CREATE_SUBSCRIPTION = Operation(
    name="create_subscription",
    title="Create subscription",
    description="Subscribes a customer to a plan; this may issue and charge an invoice at once.",
    kind="create",
    method="POST",
    path="/subscriptions",
    docs_url="https://developer.invoiced.com/api/subscriptions",
    singular="subscription",
    table="subscriptions",
    fields=(
        customer(),
        Field(
            name="plan", type="text", description="Plan ID.", required=True, nullable=False,
            refers_to="plans",
        ),
        Field(name="quantity", type="number", description="1 by default.", above_zero=True),
        Field(name="amount", type="number", description="Price, of custom plans only."),
        Field(
            name="start_date", type="timestamp", description="Today by default.", nullable=False,
            creation_only=True,
        ),
        Field(
            name="bill_in", type="choice", description="When it is billed.", nullable=False,
            choices=("advance", "arrears"),
        ),
        *(
            Field(name=name, type="integer", description=description)
            for name, description in {
                "bill_in_advance_days": "Days in advance.",
                "cycles": "Number of billing periods.",
                "snap_to_nth_day": "Day of the month that periods begin on.",
                "contract_renewal_cycles": "Billing periods of a renewed contract.",
            }.items()
        ),
        Field(
            name="contract_renewal_mode", type="choice", description="How a contract is renewed.",
            nullable=False, choices=("none", "renew_once", "manual", "auto"),
        ),
        Field(name="description", type="text", description="Text.", longest=65_535),
        *booleans(
            {
                "paused": "Whether it is paused; an update with it does nothing else.",
                "cancel_at_period_end": "Whether it ends with the period.",
            }
        ),
        Field(
            name="addons",
            type="array",
            description="Up to 100 addons.",
            elements=(
                Field(
                    name="plan", type="text", description="Plan that is added.", refers_to="plans"
                ),
                *texts({"catalog_item": "Item that is added.", "description": "Text."}),
                Field(name="quantity", type="number", description="Units.", above_zero=True),
                Field(name="amount", type="number", description="Price, of custom plans only."),
            ),
        ),
        *RATES,
        SHIP_TO,
        METADATA,
    ),
    natural_key=NaturalKey(marker=True, list_path="/subscriptions", list_params=(("all", "1"),)),
    update_path="/subscriptions/{id}",
)  # fmt: skip
CREATE_TASK = Operation(
    name="create_task",
    title="Create task",
    description="Makes a task for the team, about a customer or about nobody.",
    kind="create",
    method="POST",
    path="/tasks",
    docs_url="https://developer.invoiced.com/api/tasks",
    singular="task",
    fields=(
        Field(
            name="name", type="text", description="What is to be done.", required=True,
            nullable=False,
        ),
        Field(
            name="action", type="text", description="E.g. `phone`, `letter`, `email`, `review`.",
            required=True, nullable=False,
        ),
        Field(
            name="due_date", type="timestamp", description="When it is due.", required=True,
            nullable=False,
        ),
        replace(customer("customer_id", required=False), creation_only=False),
        *(
            Field(name=name, type="integer", description=description)
            for name, description in {
                "user_id": "User who does it.",
                "completed_by_user_id": "User who did it.",
                "bill_id": "Bill to approve.",
                "vendor_credit_id": "Vendor credit to approve.",
            }.items()
        ),
        *booleans({"complete": "Whether it is done."}),
    ),
    strict=True,
    unwanted=(
        ("customer", "call it customer_id"),
        *(
            (name, "a task cannot carry an invoice: name it in the text, and set customer_id")
            for name in ("invoice", "invoice_id")
        ),
    ),
    natural_key=NaturalKey(
        list_path="/tasks",
        compare=tuple(
            (name, name)
            for name in ("name", "action", "due_date", "customer_id", "user_id", "bill_id")
        ),
    ),
    update_path="/tasks/{id}",
)  # fmt: skip
CUSTOM = Operation(
    name="custom",
    title="Custom request",
    description="Any method and path of the API; the body is the row as it is mapped.",
    kind="custom",
    method="POST",
    path="/",
    docs_url="https://developer.invoiced.com/api",
    singular="record",
    success=frozenset({200, 201, 204}),
)
