"""Kinds of record that are archived and versioned: plans, items, coupons and tax rates."""

from invoiced_emulator.records.kind import ObjectKind, fields, names

CATALOG_KINDS = (
    ObjectKind(
        collection="plans",
        object="plan",
        title="Plan",
        hidden=names("archived internal_id num_subscriptions"),
        fields=fields(
            number="amount interval_count internal_id",
            boolean="archived",
            text="id catalog_item currency description interval name pricing_mode quantity_type "
            "tiers",
        ),
        metadata=True,
        versioned=True,
        feature="subscription_billing",
        relations={"catalog_item": "items"},
    ),
    ObjectKind(
        collection="items",
        object="item",
        title="Item",
        hidden=names("archived internal_id"),
        fields=fields(
            number="unit_cost internal_id",
            boolean="archived discountable taxable",
            text="id type name currency description gl_account avalara_tax_code "
            "avalara_location_code",
        ),
        metadata=True,
        versioned=True,
    ),
    ObjectKind(
        collection="coupons",
        object="coupon",
        title="Coupon",
        hidden=names("archived internal_id"),
        fields=fields(
            number="value internal_id", boolean="archived is_percent", text="id name currency"
        ),
        metadata=True,
        versioned=True,
    ),
    ObjectKind(
        collection="tax_rates",
        object="tax_rate",
        title="Tax Rate",
        hidden=names("archived internal_id"),
        fields=fields(
            number="value internal_id",
            boolean="archived inclusive is_percent",
            text="id name currency",
        ),
        metadata=True,
        versioned=True,
    ),
)
