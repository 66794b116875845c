-- Generated from the catalog by `make docs`: edit the catalog instead.
{% set columns = {
    'id': 'bigint',
    'object': 'text',
    'notes': 'text',
    'customer': 'bigint',
    'invoice': 'bigint',
    'user_id': 'bigint',
    'created_at': 'timestamp with time zone',
    'updated_at': 'timestamp with time zone',
    '_deleted_at': 'timestamp with time zone'
} %}

with available as (
    {{ dbt_invoiced.available_rows(source('invoiced', 'notes'), columns) }}
)

select
    "id" as note_id,
    "object",
    "notes",
    "customer" as customer_id,
    "invoice" as invoice_id,
    "user_id",
    "created_at",
    "updated_at"
from available
where _deleted_at is null
