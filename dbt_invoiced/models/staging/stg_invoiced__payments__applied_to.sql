-- Generated from the catalog by `make docs`: edit the catalog instead.
{% set columns = {
    'payment_id': 'bigint',
    '_index': 'bigint',
    'id': 'bigint',
    'type': 'text',
    'amount': 'decimal(38, 10)',
    'invoice': 'bigint',
    'estimate': 'bigint',
    'credit_note': 'bigint',
    'document_type': 'text',
    '_deleted_at': 'timestamp with time zone'
} %}

with available as (
    {{ dbt_invoiced.available_rows(source('invoiced', 'payments__applied_to'), columns) }}
)

select
    "payment_id",
    "_index" as position,
    "id" as transaction_id,
    "type",
    "amount",
    "invoice" as invoice_id,
    "estimate" as estimate_id,
    "credit_note" as credit_note_id,
    "document_type"
from available
where _deleted_at is null
