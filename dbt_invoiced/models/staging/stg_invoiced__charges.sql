-- Generated from the catalog by `make docs`: edit the catalog instead.
{% set columns = {
    'id': 'bigint',
    'object': 'text',
    'customer': 'bigint',
    'payment': 'bigint',
    'currency': 'text',
    'amount': 'decimal(38, 10)',
    'status': 'text',
    'failure_message': 'text',
    'amount_refunded': 'decimal(38, 10)',
    'refunded': 'boolean',
    'disputed': 'boolean',
    'gateway': 'text',
    'gateway_id': 'text',
    'receipt_email': 'text',
    'description': 'text',
    'merchant_account_id': 'bigint',
    'merchant_account_transaction_id': 'bigint',
    'payment_flow_id': 'bigint',
    'created_at': 'timestamp with time zone',
    'updated_at': 'timestamp with time zone',
    '_deleted_at': 'timestamp with time zone'
} %}

with available as (
    {{ dbt_invoiced.available_rows(source('invoiced', 'charges'), columns) }}
)

select
    "id" as charge_id,
    "object",
    "customer" as customer_id,
    "payment" as payment_id,
    "currency",
    "amount",
    "status",
    "failure_message",
    "amount_refunded",
    "refunded",
    "disputed",
    "gateway",
    "gateway_id",
    "receipt_email",
    "description",
    "merchant_account_id",
    "merchant_account_transaction_id",
    "payment_flow_id",
    "created_at",
    "updated_at"
from available
where _deleted_at is null
