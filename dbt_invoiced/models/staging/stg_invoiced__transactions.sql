-- Generated from the catalog by `make docs`: edit the catalog instead.
{% set columns = {
    'id': 'bigint',
    'object': 'text',
    'customer': 'bigint',
    'date': 'timestamp with time zone',
    'type': 'text',
    'status': 'text',
    'failure_reason': 'text',
    'method': 'text',
    'currency': 'text',
    'amount': 'decimal(38, 10)',
    'notes': 'text',
    'gateway': 'text',
    'gateway_id': 'text',
    'parent_transaction': 'bigint',
    'invoice': 'bigint',
    'credit_note': 'bigint',
    'estimate': 'bigint',
    'payment_id': 'bigint',
    'pdf_url': 'text',
    'created_at': 'timestamp with time zone',
    'updated_at': 'timestamp with time zone',
    '_deleted_at': 'timestamp with time zone'
} %}

with available as (
    {{ dbt_invoiced.available_rows(source('invoiced', 'transactions'), columns) }}
)

select
    "id" as transaction_id,
    "object",
    "customer" as customer_id,
    cast("date" at time zone 'UTC' as date) as transaction_date,
    "type",
    "status",
    "failure_reason",
    "method",
    "currency",
    "amount",
    "notes",
    "gateway",
    "gateway_id",
    "parent_transaction" as parent_transaction_id,
    "invoice" as invoice_id,
    "credit_note" as credit_note_id,
    "estimate" as estimate_id,
    "payment_id",
    "pdf_url",
    "created_at",
    "updated_at"
from available
where _deleted_at is null
