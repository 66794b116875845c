-- Generated from the catalog by `make docs`: edit the catalog instead.
{% set columns = {
    'id': 'text',
    'object': 'text',
    'name': 'text',
    'currency': 'text',
    'value': 'decimal(38, 10)',
    'is_percent': 'boolean',
    'exclusive': 'boolean',
    'expiration_date': 'timestamp with time zone',
    'max_redemptions': 'bigint',
    'duration': 'bigint',
    'created_at': 'timestamp with time zone',
    'updated_at': 'timestamp with time zone',
    'archived': 'boolean',
    'internal_id': 'bigint',
    '_deleted_at': 'timestamp with time zone'
} %}

with available as (
    {{ dbt_invoiced.available_rows(source('invoiced', 'coupons'), columns) }}
)

select
    "id" as coupon_id,
    "object",
    "name",
    "currency",
    "value",
    "is_percent",
    "exclusive",
    cast("expiration_date" at time zone 'UTC' as date) as expiration_date,
    "max_redemptions",
    "duration",
    "created_at",
    "updated_at",
    "archived",
    "internal_id"
from available
where _deleted_at is null
