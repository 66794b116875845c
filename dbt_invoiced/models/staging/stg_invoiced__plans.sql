-- Generated from the catalog by `make docs`: edit the catalog instead.
{% set columns = {
    'id': 'text',
    'object': 'text',
    'name': 'text',
    'currency': 'text',
    'amount': 'decimal(38, 10)',
    'pricing_mode': 'text',
    'quantity_type': 'text',
    'interval': 'text',
    'interval_count': 'bigint',
    'catalog_item': 'text',
    'description': 'text',
    'notes': 'text',
    'archived': 'boolean',
    'internal_id': 'bigint',
    'created_at': 'bigint',
    'updated_at': 'bigint',
    '_deleted_at': 'timestamp with time zone'
} %}

with available as (
    {{ dbt_invoiced.available_rows(source('invoiced', 'plans'), columns) }}
)

select
    "id" as plan_id,
    "object",
    "name",
    "currency",
    "amount",
    "pricing_mode",
    "quantity_type",
    "interval",
    "interval_count",
    "catalog_item" as catalog_item_id,
    "description",
    "notes",
    "archived",
    "internal_id",
    to_timestamp("created_at") as created_at,
    to_timestamp("updated_at") as updated_at
from available
where _deleted_at is null
