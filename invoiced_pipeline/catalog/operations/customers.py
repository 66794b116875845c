"""Operations on customers, their contacts and their payment sources."""

from dataclasses import replace

from invoiced_pipeline.catalog.operations.model import Field, NaturalKey, Operation
from invoiced_pipeline.catalog.operations.shapes import (
    ADDRESS,
    CURRENCY,
    METADATA,
    NOTES,
    booleans,
    customer,
    record_id,
    texts,
    with_required,
)

_DOCS = "https://developer.invoiced.com/api/customers"
_TOKENS = (
    Field(name="invoiced_token", type="token", description="Token of Invoiced's own form."),
    Field(name="gateway_token", type="token", description="Token of the payment gateway."),
)
_METHOD = Field(
    name="method", type="text", description="`credit_card` (the default) or a bank method."
)
_BLOCKED = (
    "client_id client_id_exp credit_balance object statement_pdf_url sign_up_url created_at "
    "updated_at"
)
_FIELDS = (
    Field(name="name", type="text", description="Name of the customer.", nullable=False),
    Field(
        name="number",
        type="text",
        description="Unique; taken from a sequence by default.",
        nullable=False,
        longest=32,
    ),
    Field(name="external_id", type="text", description="Another name for number.", longest=32),
    Field(name="email", type="email", description="Where documents are sent; lower-cased."),
    Field(
        name="type",
        type="choice",
        description="Kind of customer.",
        nullable=False,
        choices=("company", "government", "non_profit", "person"),
    ),
    Field(name="language", type="text", description="Two letters.", shortest=2, longest=2),
    replace(CURRENCY, nullable=True),
    *texts(
        {
            "attention_to": "Person or department that mail is addressed to.",
            "phone": "Phone number.",
            "payment_terms": "Default terms, e.g. `NET 30`.",
            "tax_id": "Tax registration number.",
            "avalara_entity_use_code": "Avalara entity use code.",
            "avalara_exemption_number": "Avalara exemption number.",
            "accounting_system": "Accounting system of the customer.",
            "accounting_id": "Id in the accounting system.",
        }
    ),
    *ADDRESS,
    NOTES,
    *booleans(
        {
            "active": "False deactivates the customer.",
            "autopay": "Whether invoices are charged automatically.",
            "chase": "Whether overdue invoices are chased.",
            "credit_hold": "Whether new invoices are refused.",
            "consolidated": "Whether invoices are consolidated.",
            "bill_to_parent": "Whether the parent is billed.",
            "convenience_fee": "Whether convenience fees are charged.",
            "taxable": "Whether taxes are charged.",
        }
    ),
    *(
        Field(name=name, type="integer", description=description)
        for name, description in {
            "owner": "User who owns the relationship.",
            "autopay_delay_days": "Days from issuing to charging.",
            "sign_up_page": "Sign-up page.",
            "chasing_cadence": "Chasing cadence.",
            "next_chase_step": "Next step of the cadence.",
            "late_fee_schedule": "Late fee schedule.",
            "ach_gateway": "Merchant account for ACH.",
            "cc_gateway": "Merchant account for cards.",
        }.items()
    ),
    Field(
        name="parent_customer",
        type="integer",
        description="Parent in a hierarchy of at most five levels.",
        refers_to="customers",
    ),
    Field(
        name="credit_limit",
        type="number",
        description="Highest amount that may be outstanding.",
        not_negative=True,
    ),
    Field(name="taxes", type="array", description="Ids of the default tax rates."),
    Field(
        name="disabled_payment_methods",
        type="any",
        description="Methods not offered.",
        shown="included",
    ),
    Field(
        name="payment_source",
        type="object",
        description="A token to attach: method and invoiced_token or gateway_token.",
        elements=(_METHOD, *_TOKENS),
        attaches=True,
    ),
    METADATA,
)

CREATE_CUSTOMER = Operation(
    name="create_customer",
    title="Create customer",
    description="Creates a customer; later changes of its row update it.",
    kind="create",
    method="POST",
    path="/customers",
    docs_url=_DOCS,
    singular="customer",
    table="customers",
    fields=with_required(_FIELDS, "name"),
    blocked=frozenset(_BLOCKED.split()),
    natural_key=NaturalKey(number="number", marker=True, list_path="/customers"),
    update_path="/customers/{id}",
)
UPDATE_CUSTOMER = Operation(
    name="update_customer",
    title="Update customer",
    description="Changes the fields of a customer that differ from the replica.",
    kind="update",
    method="PATCH",
    path="/customers/{id}",
    docs_url=_DOCS,
    singular="customer",
    table="customers",
    parameters=(record_id("customers", "Customer"),),
    fields=_FIELDS,
    blocked=frozenset(_BLOCKED.split()),
    success=frozenset({200}),
)
ADD_CONTACT = Operation(
    name="add_contact",
    title="Add contact",
    description="Adds a person to a customer; later changes of the row update the contact.",
    kind="create",
    method="POST",
    path="/customers/{customer}/contacts",
    docs_url="https://developer.invoiced.com/api/contacts",
    singular="contact",
    parameters=(customer(),),
    fields=(
        Field(
            name="name", type="text", description="Name of the person.", required=True,
            nullable=False,
        ),
        Field(name="email", type="email", description="Where documents are sent; lower-cased."),
        *texts({"title": "Job title.", "department": "Department.", "phone": "Phone number."}),
        *ADDRESS,
        *booleans(
            {
                "primary": "Whether documents are sent to the contact; true by default.",
                "sms_enabled": "Whether text messages are sent.",
                "send_new_invoices": "Whether new invoices are sent.",
            }
        ),
        Field(name="role", type="integer", description="Contact role."),
    ),
    strict=True,
    natural_key=NaturalKey(
        list_path="/customers/{customer}/contacts",
        compare=tuple((name, name) for name in ("name", "email", "title", "department", "phone")),
    ),
    update_path="/customers/{customer}/contacts/{id}",
)  # fmt: skip
ATTACH_PAYMENT_SOURCE = Operation(
    name="attach_payment_source",
    title="Attach payment source",
    description="Attaches a card or bank account by its token, never by its number.",
    kind="create",
    method="POST",
    path="/customers/{customer}/payment_sources",
    docs_url="https://developer.invoiced.com/api/payment-sources",
    singular="payment source",
    parameters=(customer(),),
    fields=(
        _METHOD,
        *booleans({"make_default": "Whether it becomes the customer's default."}),
        *_TOKENS,
    ),
    one_of=(("invoiced_token", "gateway_token"),),
    # The API passes unknown fields on to the gateway (observed): none may get there.
    strict=True,
    success=frozenset({200}),
    natural_key=NaturalKey(
        list_path="/customers/{customer}/payment_sources",
        list_params=(("include_hidden", "1"),),
        compare=(("gateway_token", "gateway_id"),),
    ),
)
