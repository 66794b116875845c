"""Columns of the objects nested in records, shared by the tables and their children."""

from invoiced_pipeline.catalog.model import ChildTable, Column, ForeignKey

METADATA = Column(
    "metadata",
    "json",
    "Custom key-value pairs (up to 10) as a JSON object; values are text.",
    contract=True,
)
CREATED_AT = Column("created_at", "timestamp", "When the record was created (UTC).", contract=True)
UPDATED_AT = Column(
    "updated_at",
    "timestamp",
    "When the record last changed (UTC); the replication key.",
    contract=True,
)
PAYMENT_SOURCE = Column(
    "payment_source",
    "json",
    "Card or bank account as JSON, null when there is none.",
    sensitive=True,
    contract=True,
)
ITEMS = Column(
    "items", "json", "Line items as a JSON array; also rows of the child table.", contract=True
)
DISCOUNTS = Column(
    "discounts",
    "json",
    "Document-level discounts as a JSON array; also rows of the child table.",
    contract=True,
)
TAXES = Column(
    "taxes",
    "json",
    "Document-level taxes as a JSON array; also rows of the child table.",
    contract=True,
)
SHIPPING = Column(
    "shipping", "json", "Shipping charges as a JSON array (deprecated, normally empty)."
)
SHIP_TO = Column(
    "ship_to", "json", "Shipping address as JSON, null when the same as billing.", sensitive=True
)
NETWORK_DOCUMENT_ID = Column(
    "network_document_id",
    "bigint",
    "Network document that carries this record, null when not sent that way.",
)
NETWORK_DOCUMENT = Column(
    "network_document",
    "bigint",
    "The same ID as network_document_id: use either.",
    twin="network_document_id",
)
LINE_ITEM = (
    Column("id", "bigint", "Line item ID."),
    Column("object", "text", "Always `line_item`."),
    Column("type", "text", "Kind of item, e.g. `product`, `service` or `plan`."),
    Column("name", "text", "Title of the line."),
    Column("description", "text", "Longer text of the line."),
    Column("quantity", "decimal", "Number of units, fractions allowed."),
    Column(
        "unit_cost",
        "decimal",
        ("Price of one unit in major currency units; may have more decimals than the currency."),
    ),
    Column(
        "amount",
        "decimal",
        "quantity times unit_cost, rounded to the currency (major currency units).",
    ),
    Column("catalog_item", "text", "ID of the catalog item the line was filled from."),
    Column("discountable", "boolean", "Whether document discounts apply to the line."),
    Column("taxable", "boolean", "Whether document taxes apply to the line."),
    Column("discounts", "json", "Discounts of this line as a JSON array."),
    Column("taxes", "json", "Taxes of this line as a JSON array."),
    Column("metadata", "json", "Custom key-value pairs as a JSON object."),
    Column("plan", "text", "ID of the plan that is billed; set on plan lines only."),
    Column(
        "subscription",
        "bigint",
        "ID of the subscription that is billed; set on subscription lines only.",
    ),
    Column(
        "period_start",
        "timestamp",
        "Start of the billed period (UTC); set on subscription lines only.",
        is_day=True,
    ),
    Column(
        "period_end",
        "timestamp",
        "End of the billed period (UTC); set on subscription lines only.",
        is_day=True,
    ),
    Column(
        "prorated",
        "boolean",
        "Whether the line bills part of a period; set on subscription lines only.",
    ),
    Column("created_at", "timestamp", "When the line was created (UTC)."),
    Column("updated_at", "timestamp", "When the line last changed (UTC)."),
)
DISCOUNT = (
    Column("id", "bigint", "Discount ID."),
    Column("object", "text", "Always `discount`."),
    Column("amount", "decimal", "Amount taken off, in major currency units."),
    Column("coupon", "json", "Coupon that was applied as JSON, null for a plain amount."),
    Column("expires", "timestamp", "When an early-payment discount lapses (UTC).", is_day=True),
    Column(
        "from_payment_terms",
        "boolean",
        "Whether the discount comes from the payment terms, e.g. 2% 10 NET 30.",
    ),
    Column("updated_at", "timestamp", "When the discount last changed (UTC)."),
)
TAX = (
    Column("id", "bigint", "Tax ID."),
    Column("object", "text", "Always `tax`."),
    Column("amount", "decimal", "Tax charged, in major currency units."),
    Column("tax_rate", "json", "Tax rate that was applied as JSON, null for a plain amount."),
    Column("updated_at", "timestamp", "When the tax last changed (UTC)."),
)
LINE_ITEM_JOINS = (
    ForeignKey("plan", "plans"),
    ForeignKey("subscription", "subscriptions"),
    ForeignKey("catalog_item", "items"),
)
SHIPPING_LINE = (
    Column("id", "bigint", "Shipping charge ID."),
    Column("object", "text", "Always `shipping`."),
    Column("name", "text", "Title of the shipping charge."),
    Column("amount", "decimal", "Shipping charged, in major currency units."),
    Column("created_at", "timestamp", "When the shipping charge was created (UTC)."),
    Column("updated_at", "timestamp", "When the shipping charge last changed (UTC)."),
)
COUPON = (
    Column("id", "text", "Coupon ID, chosen by the account."),
    Column("object", "text", "Always `coupon`."),
    Column("name", "text", "Name of the coupon."),
    Column("currency", "text", "Lower-case ISO 4217 code, null when the value is a percentage."),
    Column(
        "value", "decimal", "Percentage when is_percent, else an amount in major currency units."
    ),
    Column("is_percent", "boolean", "Whether value is a percentage."),
    Column("exclusive", "boolean", "Whether the coupon cannot be combined with others."),
    Column(
        "expiration_date",
        "timestamp",
        "Last moment at which the coupon can be redeemed (UTC).",
        is_day=True,
    ),
    Column(
        "max_redemptions", "bigint", "How often the coupon can be redeemed; 0 is without limit."
    ),
    Column(
        "duration", "bigint", "Number of billing periods that are discounted; 0 is without limit."
    ),
    Column("metadata", "json", "Custom key-value pairs as a JSON object."),
    Column("created_at", "timestamp", "When the coupon was created (UTC)."),
    Column("updated_at", "timestamp", "When the coupon last changed (UTC)."),
)
TAX_RATE = (
    Column("id", "text", "Tax rate ID, chosen by the account."),
    Column("object", "text", "Always `tax_rate`."),
    Column("name", "text", "Name of the tax."),
    Column("currency", "text", "Lower-case ISO 4217 code, null when the value is a percentage."),
    Column(
        "value", "decimal", "Percentage when is_percent, else an amount in major currency units."
    ),
    Column("is_percent", "boolean", "Whether value is a percentage."),
    Column("inclusive", "boolean", "Whether prices already include the tax."),
    Column("metadata", "json", "Custom key-value pairs as a JSON object."),
    Column("created_at", "timestamp", "When the tax rate was created (UTC)."),
    Column("updated_at", "timestamp", "When the tax rate last changed (UTC)."),
)
ADDON = (
    Column("id", "bigint", "Addon ID."),
    Column("object", "text", "Always `subscription_addon`."),
    Column("plan", "text", "ID of the plan that is added, null when a catalog item is."),
    Column("catalog_item", "text", "ID of the catalog item that is added, null when a plan is."),
    Column("quantity", "decimal", "Number of units, fractions allowed."),
    Column("description", "text", "Text shown on the invoice line."),
    Column(
        "amount",
        "decimal",
        "Price per period in major currency units; set for custom-priced plans only.",
    ),
    Column("created_at", "timestamp", "When the addon was created (UTC)."),
    Column("updated_at", "timestamp", "When the addon last changed (UTC)."),
)
TIER = (
    Column("min_qty", "decimal", "First quantity of the tier; null is 0."),
    Column("max_qty", "decimal", "Last quantity of the tier; null is without limit."),
    Column("unit_cost", "decimal", "Price of one unit within the tier, in major currency units."),
)
SPLIT = (
    Column(
        "id", "bigint", "ID of the transaction that the split created, also in transactions.id."
    ),
    Column(
        "type",
        "text",
        (
            "What the split does. With the payment's own money: `invoice`, `estimate`, `credit` "
            "(kept as credit balance), `convenience_fee`. With credit that the customer had: "
            "`credit_note`, `applied_credit`, `document_adjustment`."
        ),
    ),
    Column(
        "amount",
        "decimal",
        "Amount applied, in major currency units; always positive, see type for its source.",
    ),
    Column("invoice", "bigint", "ID of the invoice that the money went to."),
    Column("estimate", "bigint", "ID of the estimate whose deposit was paid."),
    Column("credit_note", "bigint", "ID of the credit note that was used."),
    Column("document_type", "text", "Document that a credit went to: `invoice` or `estimate`."),
)
SPLIT_JOINS = (
    ForeignKey("id", "transactions"),
    ForeignKey("invoice", "invoices"),
    ForeignKey("estimate", "estimates"),
    ForeignKey("credit_note", "credit_notes"),
)

VERSION = (
    Column("archived", "boolean", "Whether it is archived and cannot be used any more."),
    Column(
        "internal_id",
        "bigint",
        "ID of this version, unique also where an id was used again.",
    ),
)
"""What tells the versions of a record apart whose id can be used again once it is archived."""

DOCUMENT_CHILDREN = (
    ChildTable("items", "One row per line item.", LINE_ITEM, LINE_ITEM_JOINS),
    ChildTable("discounts", "One row per document-level discount.", DISCOUNT),
    ChildTable("taxes", "One row per document-level tax.", TAX),
    ChildTable("shipping", "One row per shipping charge.", SHIPPING_LINE),
)
"""Children that invoices, credit notes and estimates have in common."""
