-- Generated from the catalog by `make docs`: edit the catalog instead.
{% set columns = {
    'id': 'bigint',
    'object': 'text',
    'customer': 'bigint',
    'date': 'timestamp with time zone',
    'currency': 'text',
    'amount': 'decimal(38, 10)',
    'balance': 'decimal(38, 10)',
    'method': 'text',
    'reference': 'text',
    'source': 'text',
    'notes': 'text',
    'ach_sender_id': 'text',
    'matched': 'boolean',
    'voided': 'boolean',
    'surcharge_percentage': 'decimal(38, 10)',
    'bank_feed_transaction_id': 'bigint',
    'pdf_url': 'text',
    'created_at': 'timestamp with time zone',
    'updated_at': 'timestamp with time zone',
    '_deleted_at': 'timestamp with time zone'
} %}

with available as (
    {{ dbt_invoiced.available_rows(source('invoiced', 'payments'), columns) }}
)

select
    "id" as payment_id,
    "object",
    "customer" as customer_id,
    cast("date" at time zone 'UTC' as date) as payment_date,
    "currency",
    "amount",
    "balance",
    "method",
    "reference",
    "source",
    "notes",
    "ach_sender_id",
    "matched",
    "voided",
    "surcharge_percentage",
    "bank_feed_transaction_id",
    "pdf_url",
    "created_at",
    "updated_at"
from available
where _deleted_at is null
