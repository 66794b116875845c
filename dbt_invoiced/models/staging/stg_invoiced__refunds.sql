-- Generated from the catalog by `make docs`: edit the catalog instead.
{% set columns = {
    'id': 'bigint',
    'object': 'text',
    'charge': 'bigint',
    'currency': 'text',
    'amount': 'decimal(38, 10)',
    'status': 'text',
    'failure_message': 'text',
    'gateway': 'text',
    'gateway_id': 'text',
    'created_at': 'timestamp with time zone',
    'updated_at': 'timestamp with time zone',
    '_deleted_at': 'timestamp with time zone'
} %}

with available as (
    {{ dbt_invoiced.available_rows(source('invoiced', 'refunds'), columns) }}
)

select
    "id" as refund_id,
    "object",
    "charge" as charge_id,
    "currency",
    "amount",
    "status",
    "failure_message",
    "gateway",
    "gateway_id",
    "created_at",
    "updated_at"
from available
where _deleted_at is null
