"""The table `subscriptions`."""

from invoiced_pipeline.catalog.model import ChildTable, Column, ForeignKey, Table
from invoiced_pipeline.catalog.shapes import (
    ADDON,
    COUPON,
    CREATED_AT,
    METADATA,
    SHIP_TO,
    TAX_RATE,
    UPDATED_AT,
)

SUBSCRIPTIONS = Table(
    name="subscriptions",
    singular="subscription",
    description=(
        "Subscriptions: recurring billing of customers; canceled and finished ones are included."
    ),
    path="/subscriptions",
    docs_url="https://developer.invoiced.com/api/subscriptions",
    listing="windowed",
    columns=(
        Column("id", "bigint", "Subscription ID.", contract=True),
        Column("object", "text", "Always `subscription`."),
        Column("customer", "bigint", "Customer that is billed.", contract=True),
        Column(
            "plan",
            "text",
            (
                "ID of the plan that is billed; a subscription stays on the plan version it began "
                "with."
            ),
            contract=True,
        ),
        Column(
            "amount",
            "decimal",
            "Price per period in major currency units; set for custom-priced plans only.",
        ),
        Column(
            "quantity", "decimal", "Number of units of the plan, fractions allowed.", contract=True
        ),
        Column("description", "text", "Text shown on the invoices."),
        Column(
            "cycles",
            "bigint",
            (
                "Number of billing periods after which the subscription finishes, null is without "
                "end."
            ),
            contract=True,
        ),
        Column(
            "start_date",
            "timestamp",
            "When the subscription starts (UTC).",
            contract=True,
            is_day=True,
        ),
        Column(
            "period_start",
            "timestamp",
            "Start of the current billing period (UTC), null when canceled.",
            contract=True,
            is_day=True,
        ),
        Column(
            "period_end",
            "timestamp",
            "End of the current billing period (UTC), null when canceled.",
            contract=True,
            is_day=True,
        ),
        Column(
            "renewed_last",
            "timestamp",
            "When the subscription last renewed (UTC).",
            contract=True,
            is_day=True,
        ),
        Column(
            "renews_next",
            "timestamp",
            "When the subscription renews next (UTC), null when canceled.",
            contract=True,
            is_day=True,
        ),
        Column("bill_in", "text", "When a period is billed: `advance` or `arrears`."),
        Column("bill_in_advance_days", "bigint", "How many days before the period it is billed."),
        Column(
            "snap_to_nth_day",
            "bigint",
            "Day of the period that billing snaps to (calendar billing), null without.",
        ),
        Column(
            "cancel_at_period_end",
            "boolean",
            "Whether the subscription ends with the current period.",
            contract=True,
        ),
        Column(
            "canceled_at", "timestamp", "When the subscription was canceled (UTC).", contract=True
        ),
        Column("canceled_reason", "text", "Why the subscription was canceled."),
        Column("paused", "boolean", "Whether billing is paused."),
        Column(
            "contract_period_start",
            "timestamp",
            "Start of the contract term (UTC).",
            contract=True,
            is_day=True,
        ),
        Column(
            "contract_period_end",
            "timestamp",
            "End of the contract term (UTC).",
            contract=True,
            is_day=True,
        ),
        Column(
            "contract_renewal_cycles",
            "bigint",
            "Number of billing periods of the next contract term.",
            contract=True,
        ),
        Column(
            "contract_renewal_mode",
            "text",
            "What happens at the end of the contract: `none`, `renew_once`, `manual` or `auto`.",
            contract=True,
        ),
        Column(
            "status",
            "text",
            (
                "State of the subscription. Open (recurring revenue): `active`, `past_due`, "
                "`pending_renewal`. Not open: `not_started`, `paused`, `finished`, `canceled`."
            ),
            contract=True,
        ),
        Column(
            "recurring_total",
            "decimal",
            ("Amount billed per period with addons, discounts and taxes, in major currency units."),
            contract=True,
        ),
        Column(
            "mrr",
            "decimal",
            "Monthly recurring revenue, in major currency units; the currency is that of the plan.",
            contract=True,
        ),
        Column(
            "addons", "json", "Addons as a JSON array; also rows of the child table.", contract=True
        ),
        Column(
            "discounts",
            "json",
            "Coupons as a JSON array; also rows of the child table.",
            contract=True,
        ),
        Column(
            "taxes",
            "json",
            "Tax rates as a JSON array; also rows of the child table.",
            contract=True,
        ),
        SHIP_TO,
        Column(
            "payment_source",
            "json",
            "Card or bank account pinned to this subscription as JSON.",
            sensitive=True,
        ),
        Column(
            "approval",
            "json",
            "Proof of the customer's consent as JSON (time, user agent, IP address).",
            sensitive=True,
            contract=True,
        ),
        Column("url", "text", "Link to the subscription."),
        METADATA,
        CREATED_AT,
        UPDATED_AT,
    ),
    children=(
        ChildTable(
            "addons",
            "One row per addon billed along with the plan.",
            ADDON,
            (ForeignKey("plan", "plans"), ForeignKey("catalog_item", "items")),
        ),
        ChildTable("discounts", "One row per coupon on the subscription.", COUPON),
        ChildTable("taxes", "One row per tax rate on the subscription.", TAX_RATE),
    ),
    foreign_keys=(
        ForeignKey("customer", "customers", cascades=True),
        ForeignKey("plan", "plans"),
    ),
    open_statuses=("active", "past_due", "pending_renewal"),
    list_params=(("all", "1"),),
    feature="subscription_billing",
)
