-- Generated from the catalog by `make docs`: edit the catalog instead.
{% set columns = {
    'id': 'text',
    'object': 'text',
    'type': 'text',
    'name': 'text',
    'currency': 'text',
    'unit_cost': 'decimal(38, 10)',
    'description': 'text',
    'gl_account': 'text',
    'discountable': 'boolean',
    'taxable': 'boolean',
    'avalara_tax_code': 'text',
    'avalara_location_code': 'text',
    'archived': 'boolean',
    'internal_id': 'bigint',
    'created_at': 'timestamp with time zone',
    'updated_at': 'timestamp with time zone',
    '_deleted_at': 'timestamp with time zone'
} %}

with available as (
    {{ dbt_invoiced.available_rows(source('invoiced', 'items'), columns) }}
)

select
    "id" as item_id,
    "object",
    "type",
    "name",
    "currency",
    "unit_cost",
    "description",
    "gl_account",
    "discountable",
    "taxable",
    "avalara_tax_code",
    "avalara_location_code",
    "archived",
    "internal_id",
    "created_at",
    "updated_at"
from available
where _deleted_at is null
