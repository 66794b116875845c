"""Operations on subscriptions."""

from invoiced_pipeline.catalog.operations.model import Field, NaturalKey, Operation
from invoiced_pipeline.catalog.operations.shapes import (
    METADATA,
    RATES,
    SHIP_TO,
    booleans,
    customer,
    texts,
)

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
        Field(name="amount", type="number", description="Price; for custom plans only."),
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
                "paused": "Whether it is paused; an update with this field changes nothing else.",
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
                Field(name="amount", type="number", description="Price; for custom plans only."),
            ),
        ),
        *RATES,
        SHIP_TO,
        METADATA,
    ),
    natural_key=NaturalKey(marker=True, list_path="/subscriptions", list_params=(("all", "1"),)),
    update_path="/subscriptions/{id}",
)  # fmt: skip
