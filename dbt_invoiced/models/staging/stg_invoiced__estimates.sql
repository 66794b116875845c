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
    'expiration_date': 'timestamp with time zone',
    'payment_terms': 'text',
    'purchase_order': 'text',
    'notes': 'text',
    'draft': 'boolean',
    'closed': 'boolean',
    'approved': 'boolean',
    'status': 'text',
    'deposit': 'decimal(38, 10)',
    'deposit_paid': 'boolean',
    'paid': 'boolean',
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
    {{ dbt_invoiced.available_rows(source('invoiced', 'estimates'), columns) }}
)

select
    "id" as estimate_id,
    "object",
    "customer" as customer_id,
    "invoice" as invoice_id,
    "name",
    "number",
    "currency",
    cast("date" at time zone 'UTC' as date) as estimate_date,
    cast("expiration_date" at time zone 'UTC' as date) as expiration_date,
    "payment_terms",
    "purchase_order",
    "notes",
    "draft",
    "closed",
    "approved",
    "status",
    "deposit",
    "deposit_paid",
    "paid",
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
