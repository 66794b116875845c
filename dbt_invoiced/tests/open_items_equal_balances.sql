-- What is open today is what Invoiced says is open. A day in the past cannot be compared: balances
-- are those of now.
{{ config(meta={"dagster": {"ref": {"name": "invoiced__ar_open_items"}}}) }}
with open_items as (
    select invoice_id, open_amount from {{ ref('invoiced__ar_open_items') }} where is_today
)

select invoice_id, invoices.balance, open_items.open_amount
from {{ ref('int_invoiced__invoices') }} as invoices
full outer join open_items using (invoice_id)
where coalesce(invoices.balance, 0) <> coalesce(open_items.open_amount, 0)
    and {{ dbt_invoiced.as_of() }} >= {{ dbt_invoiced.current_day() }}
