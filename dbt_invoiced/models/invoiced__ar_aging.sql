with moved as (
    select
        case when document_type in ('payment', 'transaction') then 'cash' else 'credit' end as kind,
        customer_id,
        currency,
        movement_date,
        sum(amount) as amount
    from {{ ref('invoiced__ar_ledger') }}
    where document_type in ('payment', 'transaction', 'credit_note', 'credit_balance')
    group by 1, customer_id, currency, movement_date
),

running as (
    select
        kind,
        customer_id,
        currency,
        movement_date as held_from,
        lead(movement_date) over held as held_until,
        -sum(amount) over (held rows between unbounded preceding and current row) as amount
    from moved
    window held as (partition by kind, customer_id, currency order by movement_date)
),

amounts as (
    select as_of_date, is_today, customer_id, currency, bucket, open_amount as amount
    from {{ ref('invoiced__ar_open_items') }}

    union all

    select
        month_ends.as_of_date,
        month_ends.is_today,
        running.customer_id,
        running.currency,
        running.kind,
        running.amount
    from running
    inner join {{ ref('int_invoiced__month_ends') }} as month_ends
        on month_ends.as_of_date >= running.held_from
        and month_ends.as_of_date < coalesce(running.held_until, cast('9999-12-31' as date))
    where running.amount <> 0
)

select
    as_of_date,
    is_today,
    customer_id,
    currency,
    {{ dbt_invoiced.total('amount', "bucket = 'not due'") }} as not_due,
    {{ dbt_invoiced.total('amount', "bucket = '1-30'") }} as days_1_30,
    {{ dbt_invoiced.total('amount', "bucket = '31-60'") }} as days_31_60,
    {{ dbt_invoiced.total('amount', "bucket = '61-90'") }} as days_61_90,
    {{ dbt_invoiced.total('amount', "bucket = 'over 90'") }} as over_90,
    {{ dbt_invoiced.total('amount', "bucket not in ('cash', 'credit')") }} as total_open,
    {{ dbt_invoiced.total('amount', "bucket not in ('not due', 'cash', 'credit')") }} as overdue,
    {{ dbt_invoiced.total('amount', "bucket = 'cash'") }} as unapplied_cash,
    {{ dbt_invoiced.total('amount', "bucket = 'credit'") }} as open_credits
from amounts
group by as_of_date, is_today, customer_id, currency
