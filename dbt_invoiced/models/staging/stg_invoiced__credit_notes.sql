-- Generated from the catalog by `make docs`: edit the catalog instead.
{% set columns = {
    'id': 'bigint',
    'object': 'text',
    'customer': 'bigint',
    'invoice': 'bigint',
    'name': 'text',
    'number': 'text',
    'currency': 'text',
    'date': 'timestamp with time zone',
    'purchase_order': 'text',
    'notes': 'text',
    'draft': 'boolean',
    'closed': 'boolean',
    'paid': 'boolean',
    'status': 'text',
    'subtotal': 'decimal(38, 10)',
    'total': 'decimal(38, 10)',
    'balance': 'decimal(38, 10)',
    'network_document_id': 'bigint',
    'url': 'text',
    'pdf_url': 'text',
    'created_at': 'timestamp with time zone',
    'updated_at': 'timestamp with time zone',
    '_deleted_at': 'timestamp with time zone'
} %}

with available as (
    {{ dbt_invoiced.available_rows(source('invoiced', 'credit_notes'), columns) }}
)

select
    "id" as credit_note_id,
    "object",
    "customer" as customer_id,
    "invoice" as invoice_id,
    "name",
    "number",
    "currency",
    cast("date" at time zone 'UTC' as date) as credit_note_date,
    "purchase_order",
    "notes",
    "draft",
    "closed",
    "paid",
    "status",
    "subtotal",
    "total",
    "balance",
    "network_document_id",
    "url",
    "pdf_url",
    "created_at",
    "updated_at"
from available
where _deleted_at is null
