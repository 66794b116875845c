"""Fields that several operations share."""

from collections.abc import Iterable
from dataclasses import replace

from invoiced_pipeline.catalog.operations.model import Field


def texts(names: dict[str, str], *, longest: int = 255) -> tuple[Field, ...]:
    """Text fields from names and descriptions."""
    return tuple(
        Field(name=name, type="text", description=description, longest=longest)
        for name, description in names.items()
    )


def booleans(names: dict[str, str]) -> tuple[Field, ...]:
    """Boolean fields from names and descriptions."""
    return tuple(
        Field(name=name, type="boolean", description=description, nullable=False)
        for name, description in names.items()
    )


def with_required(fields: Iterable[Field], *names: str) -> tuple[Field, ...]:
    """The same fields, with the named ones required and the others optional."""
    return tuple(replace(each, required=each.name in names) for each in fields)


def customer(name: str = "customer", *, required: bool = True) -> Field:
    """The customer that a record belongs to, which cannot be changed later."""
    return Field(
        name=name,
        type="integer",
        description="Customer ID.",
        required=required,
        nullable=not required,
        refers_to="customers",
        creation_only=True,
    )


def record_id(table: str, what: str) -> Field:
    """The path parameter `id` of a record."""
    return Field(
        name="id", type="integer", description=f"{what} ID.", required=True, refers_to=table
    )


ADDRESS = (
    *texts(
        {
            "address1": "First line of the address.",
            "address2": "Second line of the address.",
            "city": "City.",
            "state": "State or province.",
            "postal_code": "Postal code.",
        }
    ),
    Field(name="country", type="country", description="Two-letter ISO 3166 code."),
)
METADATA = Field(
    name="metadata",
    type="metadata",
    description="Up to 10 custom values; an update replaces all of them.",
)
CURRENCY = Field(
    name="currency",
    type="currency",
    description="ISO 4217 code; the customer's, else the account's by default.",
    nullable=False,
)
NOTES = Field(name="notes", type="text", description="Notes.", longest=65_535)
SHIP_TO = Field(
    name="ship_to",
    type="object",
    description="Shipping address.",
    elements=(
        *texts({"name": "Name.", "attention_to": "Person or department."}),
        *ADDRESS,
    ),
)
RATES = (
    Field(name="discounts", type="array", description="Coupon ids, or objects with an amount."),
    Field(name="taxes", type="array", description="Tax rate ids, or objects with an amount."),
)
LINE_ITEM = (
    Field(name="id", type="integer", description="Id of an existing line, which is changed."),
    *texts({"type": "Kind of item.", "catalog_item": "Catalog item that supplies missing fields."}),
    Field(name="name", type="text", description="Title of the line.", shortest=0),
    Field(name="description", type="text", description="Longer text.", longest=65_535),
    Field(name="quantity", type="number", description="Number of units; 1 by default."),
    Field(name="unit_cost", type="number", description="Price of one unit; 0 by default."),
    *booleans(
        {
            "discountable": "Whether document discounts apply.",
            "taxable": "Whether document taxes apply.",
        }
    ),
    *RATES,
    METADATA,
)
