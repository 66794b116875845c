"""The table `plans`."""

from invoiced_pipeline.catalog.model import ChildTable, Column, ForeignKey, Table
from invoiced_pipeline.catalog.shapes import METADATA, TIER

PLANS = Table(
    name="plans",
    singular="plan",
    description=(
        "Plans: prices that subscriptions bill per interval; archived ones are included. One row "
        "per ID: the live version, else the newest."
    ),
    path="/plans",
    docs_url="https://developer.invoiced.com/api/plans",
    listing="whole",
    columns=(
        Column(
            "id",
            "text",
            "Plan ID, chosen by the account; can be used again once the plan is archived.",
            contract=True,
        ),
        Column("object", "text", "Always `plan`.", contract=True),
        Column("name", "text", "Name of the plan.", contract=True),
        Column("currency", "text", "Lower-case ISO 4217 code of the amount.", contract=True),
        Column(
            "amount",
            "decimal",
            "Price of one unit per interval in major currency units, null for custom pricing.",
            contract=True,
        ),
        Column(
            "pricing_mode",
            "text",
            "How the price is found: `per_unit`, `volume`, `tiered` or `custom`.",
            contract=True,
        ),
        Column(
            "quantity_type",
            "text",
            "Where the quantity comes from: `constant` or `usage`.",
            contract=True,
        ),
        Column(
            "interval",
            "text",
            "Unit of the billing interval: `day`, `week`, `month` or `year`.",
            contract=True,
        ),
        Column(
            "interval_count",
            "bigint",
            "Number of units in one billing interval, at least 1.",
            contract=True,
        ),
        Column(
            "catalog_item", "text", "ID of the catalog item that the plan bills.", contract=True
        ),
        Column("description", "text", "Text shown on the invoices.", contract=True),
        Column("notes", "text", "Private notes about the plan.", contract=True),
        Column(
            "tiers",
            "json",
            "Pricing tiers as a JSON array, null without tiers; also rows of the child table.",
            contract=True,
        ),
        Column("archived", "boolean", "Whether the plan is archived and cannot be subscribed to."),
        Column(
            "internal_id",
            "bigint",
            "ID of this version of the plan, unique also where an id was used again.",
        ),
        METADATA,
        Column(
            "created_at",
            "bigint",
            "Creation of the plan, in epoch seconds; the instant is to_timestamp(created_at).",
            contract=True,
            is_epoch=True,
        ),
        Column(
            "updated_at",
            "bigint",
            "Last change of the plan, in epoch seconds; the instant is to_timestamp(updated_at).",
            contract=True,
            is_epoch=True,
        ),
    ),
    children=(ChildTable("tiers", "One row per pricing tier.", TIER),),
    joins=(ForeignKey("catalog_item", "items"),),
    list_params=(("include", "archived,internal_id"),),
    variants=(
        (("archived", "0"),),
        (("archived", "1"),),
    ),
    decides_by=("archived", "internal_id"),
    feature="subscription_billing",
    filters_by_id=False,
)
