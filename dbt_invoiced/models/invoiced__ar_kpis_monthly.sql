with ledger as (
    select *, cast(date_trunc('month', movement_date) as date) as month
    from {{ ref('invoiced__ar_ledger') }}
),

currencies as (
    select currency, min(month) as first_month from ledger where movement_type <> 'void'
    group by currency
),

months as (
    select
        month_ends.month,
        month_ends.as_of_date,
        currencies.currency,
        month_ends.as_of_date - month_ends.month + 1 as days,
        month_ends.as_of_date
        = cast(month_ends.month + interval '1 month' - interval '1 day' as date) as is_complete
    from {{ ref('int_invoiced__month_ends') }} as month_ends
    inner join currencies on month_ends.month >= currencies.first_month
),

moved as (
    select
        month,
        currency,
        {{ dbt_invoiced.total('amount', "movement_type = 'invoice'") }} as billed,
        -{{ dbt_invoiced.total(
            'amount', "document_type = 'credit_note' and movement_type = 'credit_note'"
        ) }} as credited
    from ledger
    group by month, currency
),

received as (
    select
        cast(date_trunc('month', receipt_date) as date) as month,
        currency,
        {{ dbt_invoiced.total('amount', "applied_to <> 'refund'") }} as collected,
        -{{ dbt_invoiced.total('amount', "applied_to = 'refund'") }} as refunded
    from {{ ref('invoiced__cash_receipts') }}
    where status = 'succeeded'
    group by 1, currency
),

-- Balances before the first month that is shown are carried into it.
closings as (
    select as_of_date, currency, sum(total_open) as closing, sum(not_due) as closing_not_due
    from {{ ref('invoiced__ar_aging') }}
    group by as_of_date, currency
),

openings as (
    select ledger.currency, {{ dbt_invoiced.total('ledger.amount') }} as opening
    from ledger
    where ledger.document_type = 'invoice'
        and ledger.month < (select min(month) from {{ ref('int_invoiced__month_ends') }})
    group by ledger.currency
),

monthly as (
    select
        months.month,
        months.currency,
        months.as_of_date,
        months.is_complete,
        months.days,
        lag(coalesce(closings.closing, 0), 1, coalesce(openings.opening, 0)) over by_month as opening,
        coalesce(moved.billed, 0) as billed,
        coalesce(moved.credited, 0) as credited,
        coalesce(received.collected, 0) as collected,
        coalesce(received.refunded, 0) as refunded,
        coalesce(closings.closing, 0) as closing,
        coalesce(closings.closing_not_due, 0) as closing_not_due
    from months
    left join moved on moved.month = months.month and moved.currency = months.currency
    left join received on received.month = months.month and received.currency = months.currency
    left join closings
        on closings.as_of_date = months.as_of_date and closings.currency = months.currency
    left join openings on openings.currency = months.currency
    window by_month as (partition by months.currency order by months.month)
),

rolling as (
    select
        monthly.*,
        case when count(*) over three = 3 then sum(days) over three end as days_3m,
        case when count(*) over three = 3 then sum(billed) over three end as billed_3m,
        case when count(*) over three = 3 then first_value(opening) over three end as opening_3m
    from monthly
    window three as (
        partition by currency order by month rows between 2 preceding and current row
    )
)

select
    month,
    currency,
    as_of_date,
    is_complete,
    days,
    cast(opening as decimal(38, 10)) as opening,
    cast(billed as decimal(38, 10)) as billed,
    cast(credited as decimal(38, 10)) as credited,
    cast(collected as decimal(38, 10)) as collected,
    cast(refunded as decimal(38, 10)) as refunded,
    cast(closing as decimal(38, 10)) as closing,
    cast(closing_not_due as decimal(38, 10)) as closing_not_due,
    {{ dbt_invoiced.ratio('closing', 'billed', 'days') }} as dso,
    {{ dbt_invoiced.ratio('closing_not_due', 'billed', 'days') }} as best_possible_dso,
    {{ dbt_invoiced.ratio('closing - closing_not_due', 'billed', 'days') }} as average_days_delinquent,
    {{ dbt_invoiced.ratio(
        'opening + billed - closing', 'opening + billed - closing_not_due', 100
    ) }} as collection_effectiveness,
    {{ dbt_invoiced.ratio('closing', 'billed_3m', 'days_3m') }} as dso_3m,
    {{ dbt_invoiced.ratio('closing_not_due', 'billed_3m', 'days_3m') }} as best_possible_dso_3m,
    {{ dbt_invoiced.ratio('closing - closing_not_due', 'billed_3m', 'days_3m') }}
        as average_days_delinquent_3m,
    {{ dbt_invoiced.ratio(
        'opening_3m + billed_3m - closing', 'opening_3m + billed_3m - closing_not_due', 100
    ) }} as collection_effectiveness_3m
from rolling
