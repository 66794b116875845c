-- Credit notes that count: issued, not voided and not deleted.
select
    credit_note_id,
    number as credit_note_number,
    customer_id,
    currency,
    coalesce(credit_note_date, {{ dbt_invoiced.day_of('created_at') }}) as credit_note_date,
    coalesce(total, 0) as total,
    coalesce(balance, 0) as balance,
    status,
    created_at,
    updated_at
from {{ ref('stg_invoiced__credit_notes') }}
where not coalesce(draft, false) and coalesce(status, '') <> 'voided'
