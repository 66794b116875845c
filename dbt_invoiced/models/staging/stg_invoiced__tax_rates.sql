-- Generated from the catalog by `make docs`: edit the catalog instead.
{% set columns = {
    'id': 'text',
    'object': 'text',
    'name': 'text',
    'currency': 'text',
    'value': 'decimal(38, 10)',
    'is_percent': 'boolean',
    'inclusive': 'boolean',
    'created_at': 'timestamp with time zone',
    'updated_at': 'timestamp with time zone',
    'archived': 'boolean',
    'internal_id': 'bigint',
    '_deleted_at': 'timestamp with time zone'
} %}

with available as (
    {{ dbt_invoiced.available_rows(source('invoiced', 'tax_rates'), columns) }}
)

select
    "id" as tax_rate_id,
    "object",
    "name",
    "currency",
    "value",
    "is_percent",
    "inclusive",
    "created_at",
    "updated_at",
    "archived",
    "internal_id"
from available
where _deleted_at is null
