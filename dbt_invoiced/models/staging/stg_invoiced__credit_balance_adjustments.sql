-- Generated from the catalog by `make docs`: edit the catalog instead.
{% set columns = {
    'id': 'bigint',
    'object': 'text',
    'customer': 'bigint',
    'date': 'timestamp with time zone',
    'currency': 'text',
    'amount': 'decimal(38, 10)',
    'notes': 'text',
    'created_at': 'timestamp with time zone',
    'updated_at': 'timestamp with time zone',
    '_deleted_at': 'timestamp with time zone'
} %}

with available as (
    {{ dbt_invoiced.available_rows(source('invoiced', 'credit_balance_adjustments'), columns) }}
)

select
    "id" as credit_balance_adjustment_id,
    "object",
    "customer" as customer_id,
    cast("date" at time zone 'UTC' as date) as credit_balance_adjustment_date,
    "currency",
    "amount",
    "notes",
    "created_at",
    "updated_at"
from available
where _deleted_at is null
