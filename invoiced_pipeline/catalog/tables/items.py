"""The table `items`."""

from invoiced_pipeline.catalog.model import ChildTable, Column, Table
from invoiced_pipeline.catalog.shapes import TAX_RATE, VERSION

ITEMS = Table(
    name="items",
    singular="item",
    description=(
        "Items: products and services that line items are filled from; archived ones are included. "
        "One row per ID: the live version, else the newest."
    ),
    path="/items",
    docs_url="https://developer.invoiced.com/api/items",
    listing="whole",
    columns=(
        Column(
            "id",
            "text",
            "Item ID, chosen by the account; can be used again once the item is archived.",
        ),
        Column("object", "text", "Always `item`."),
        Column("type", "text", "Kind of item, e.g. `product` or `service`."),
        Column("name", "text", "Name of the item, the title of its lines."),
        Column("currency", "text", "Lower-case ISO 4217 code of unit_cost."),
        Column(
            "unit_cost",
            "decimal",
            "Price of one unit in major currency units; may have more decimals than the currency.",
        ),
        Column("description", "text", "Longer text of its lines."),
        Column("gl_account", "text", "General ledger account that its lines are booked to."),
        Column("discountable", "boolean", "Whether document discounts apply to its lines."),
        Column("taxable", "boolean", "Whether document taxes apply to its lines."),
        Column(
            "taxes", "json", "Tax rates of its lines as a JSON array; also rows of the child table."
        ),
        Column("avalara_tax_code", "text", "Tax code for Avalara."),
        Column("avalara_location_code", "text", "Location code for Avalara."),
        *VERSION,
        Column("metadata", "json", "Custom key-value pairs as a JSON object."),
        Column("created_at", "timestamp", "When the item was created (UTC)."),
        Column("updated_at", "timestamp", "When the item last changed (UTC)."),
    ),
    children=(ChildTable("taxes", "One row per tax rate of the item's lines.", TAX_RATE),),
    list_params=(("include", "archived,internal_id"),),
    variants=(
        (("archived", "0"),),
        (("archived", "1"),),
    ),
    decides_by=("archived", "internal_id"),
    filters_by_id=False,
)
