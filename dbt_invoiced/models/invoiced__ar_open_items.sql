with moved as (
    select document_id as invoice_id, movement_date, sum(amount) as amount
    from {{ ref('invoiced__ar_ledger') }}
    where document_type = 'invoice'
    group by document_id, movement_date
),

running as (
    select
        invoice_id,
        movement_date as open_from,
        lead(movement_date) over (partition by invoice_id order by movement_date) as open_until,
        sum(amount) over (
            partition by invoice_id order by movement_date
            rows between unbounded preceding and current row
        ) as open_amount
    from moved
),

open_items as (
    select
        month_ends.as_of_date,
        month_ends.is_today,
        running.invoice_id,
        running.open_amount
    from running
    inner join {{ ref('int_invoiced__month_ends') }} as month_ends
        on month_ends.as_of_date >= running.open_from
        and month_ends.as_of_date < coalesce(running.open_until, cast('9999-12-31' as date))
    where running.open_amount <> 0
),

aged as (
    select
        open_items.as_of_date,
        open_items.is_today,
        invoices.invoice_id,
        invoices.invoice_number,
        invoices.customer_id,
        invoices.currency,
        invoices.invoice_date,
        invoices.due_date,
        cast(open_items.open_amount as decimal(38, 10)) as open_amount,
        greatest(coalesce(open_items.as_of_date - invoices.due_date, 0), 0) as days_late,
        invoices.closed
    from open_items
    inner join {{ ref('int_invoiced__invoices') }} as invoices
        on invoices.invoice_id = open_items.invoice_id
)

select
    as_of_date,
    is_today,
    invoice_id,
    invoice_number,
    customer_id,
    currency,
    invoice_date,
    due_date,
    open_amount,
    days_late,
    case
        when days_late = 0 then 'not due'
        when days_late <= 30 then '1-30'
        when days_late <= 60 then '31-60'
        when days_late <= 90 then '61-90'
        else 'over 90'
    end as bucket,
    closed
from aged
