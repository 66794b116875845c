-- Invoices that count: issued, not voided and not deleted.
select
    invoice_id,
    number as invoice_number,
    customer_id,
    currency,
    coalesce(invoice_date, {{ dbt_invoiced.day_of('created_at') }}) as invoice_date,
    due_date,
    coalesce(total, 0) as total,
    coalesce(balance, 0) as balance,
    coalesce(closed, false) as closed,
    created_at
from {{ ref('stg_invoiced__invoices') }}
where not coalesce(draft, false) and coalesce(status, '') <> 'voided'
