"""The table `customers`."""

from invoiced_pipeline.catalog.model import ChildTable, Column, ForeignKey, Table
from invoiced_pipeline.catalog.shapes import (
    CREATED_AT,
    METADATA,
    PAYMENT_SOURCE,
    TAX_RATE,
    UPDATED_AT,
)

CUSTOMERS = Table(
    name="customers",
    singular="customer",
    description=(
        "Customers: the companies and people that are billed, with address, terms and collection "
        "settings."
    ),
    path="/customers",
    docs_url="https://developer.invoiced.com/api/customers",
    listing="windowed",
    columns=(
        Column("id", "bigint", "Customer ID.", contract=True),
        Column("object", "text", "Always `customer`."),
        Column(
            "name",
            "text",
            "Name of the company or person.",
            sensitive=True,
            contract=True,
            aliases=("account_holder_name",),
        ),
        Column(
            "number",
            "text",
            "Customer number shown on documents, unique in the account.",
            contract=True,
        ),
        Column(
            "type",
            "text",
            "Kind of customer: `company`, `government`, `non_profit` or `person`.",
            contract=True,
        ),
        Column("active", "boolean", "False once the customer is deactivated."),
        Column(
            "email",
            "text",
            "Email address that documents are sent to, lower-case.",
            sensitive=True,
            contract=True,
            aliases=("receipt_email",),
        ),
        Column(
            "attention_to",
            "text",
            "Person or department that mail is addressed to.",
            sensitive=True,
            contract=True,
        ),
        Column(
            "address1", "text", "First line of the billing address.", sensitive=True, contract=True
        ),
        Column(
            "address2", "text", "Second line of the billing address.", sensitive=True, contract=True
        ),
        Column("city", "text", "City of the billing address.", sensitive=True, contract=True),
        Column(
            "state",
            "text",
            "State or province of the billing address.",
            sensitive=True,
            contract=True,
        ),
        Column(
            "postal_code",
            "text",
            "Postal code of the billing address.",
            sensitive=True,
            contract=True,
        ),
        Column("country", "text", "Two-letter country code, upper-case.", contract=True),
        Column(
            "language",
            "text",
            "Two-letter language code for documents, null for the account's default.",
            contract=True,
        ),
        Column(
            "currency",
            "text",
            "Lower-case ISO 4217 code of new documents, null for the account's default.",
        ),
        Column("phone", "text", "Phone number.", sensitive=True, contract=True),
        Column(
            "tax_id",
            "text",
            "Tax registration number of the customer.",
            sensitive=True,
            contract=True,
        ),
        Column(
            "notes",
            "text",
            "Private notes of the account about the customer.",
            sensitive=True,
            contract=True,
        ),
        Column(
            "payment_terms",
            "text",
            "Default payment terms, e.g. `NET 30`; null with AutoPay.",
            contract=True,
        ),
        Column(
            "autopay",
            "boolean",
            "Whether invoices are charged to the payment source automatically.",
            contract=True,
        ),
        Column(
            "autopay_delay_days",
            "bigint",
            "Days between issuing and charging an invoice; -1 is the account's default.",
        ),
        PAYMENT_SOURCE,
        Column(
            "chase", "boolean", "Whether overdue invoices are chased automatically.", contract=True
        ),
        Column("chasing_cadence", "bigint", "ID of the chasing cadence.", contract=True),
        Column(
            "next_chase_step", "bigint", "ID of the chasing step that comes next.", contract=True
        ),
        Column(
            "credit_hold",
            "boolean",
            "Whether new invoices are refused for the customer.",
            contract=True,
        ),
        Column(
            "credit_limit",
            "decimal",
            (
                "Highest amount that may be outstanding, in major currency units; null is without "
                "limit."
            ),
            contract=True,
        ),
        Column(
            "consolidated",
            "boolean",
            "Whether invoices are gathered into one consolidated invoice.",
        ),
        Column("bill_to_parent", "boolean", "Whether invoices are billed to the parent customer."),
        Column("convenience_fee", "boolean", "Whether convenience fees are charged."),
        Column("surcharging", "boolean", "Whether card surcharges are charged."),
        Column("taxable", "boolean", "Whether taxes are charged.", contract=True),
        Column(
            "taxes",
            "json",
            "Default tax rates as a JSON array; also rows of the child table.",
            contract=True,
        ),
        Column("avalara_entity_use_code", "text", "Avalara entity use code."),
        Column("avalara_exemption_number", "text", "Avalara exemption number."),
        Column(
            "parent_customer",
            "bigint",
            "Parent customer in a hierarchy, up to five levels deep.",
            contract=True,
        ),
        Column("owner_id", "bigint", "User who owns the account relationship."),
        Column("owner", "bigint", "The same ID as owner_id: use either.", twin="owner_id"),
        Column("late_fee_schedule_id", "bigint", "Late fee schedule of the customer."),
        Column(
            "late_fee_schedule",
            "bigint",
            "The same ID as late_fee_schedule_id: use either.",
            twin="late_fee_schedule_id",
        ),
        Column("ach_gateway_id", "bigint", "Merchant account used for ACH."),
        Column(
            "ach_gateway",
            "bigint",
            "The same ID as ach_gateway_id: use either.",
            twin="ach_gateway_id",
        ),
        Column("ach_gateway_object", "json", "Merchant account used for ACH as JSON."),
        Column("cc_gateway_id", "bigint", "Merchant account used for cards."),
        Column(
            "cc_gateway",
            "bigint",
            "The same ID as cc_gateway_id: use either.",
            twin="cc_gateway_id",
        ),
        Column("cc_gateway_object", "json", "Merchant account used for cards as JSON."),
        Column("network_connection_id", "bigint", "Network connection with the customer."),
        Column(
            "network_connection",
            "bigint",
            "The same ID as network_connection_id: use either.",
            twin="network_connection_id",
        ),
        Column(
            "sign_up_page", "bigint", "Sign-up page through which the customer came.", contract=True
        ),
        Column("sign_up_url", "text", "Link to the customer's sign-up page."),
        Column("statement_url", "text", "Link to the customer's statement."),
        Column("statement_pdf_url", "text", "Link to the customer's statement as PDF."),
        METADATA,
        CREATED_AT,
        UPDATED_AT,
    ),
    children=(
        ChildTable(
            "taxes", "One row per tax rate that applies to the customer by default.", TAX_RATE
        ),
    ),
    foreign_keys=(ForeignKey("parent_customer", "customers"),),
    deletion_event="customer.deleted",
)
