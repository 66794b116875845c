-- The buckets of every day and currency add up to the open items.
{{ config(meta={"dagster": {"ref": {"name": "invoiced__ar_aging"}}}) }}
with aging as (
    select
        as_of_date,
        currency,
        sum(not_due + days_1_30 + days_31_60 + days_61_90 + over_90) as amount
    from {{ ref('invoiced__ar_aging') }}
    group by as_of_date, currency
),

open_items as (
    select as_of_date, currency, sum(open_amount) as amount
    from {{ ref('invoiced__ar_open_items') }}
    group by as_of_date, currency
)

select as_of_date, currency, aging.amount as aging, open_items.amount as open_items
from aging
full outer join open_items using (as_of_date, currency)
where coalesce(aging.amount, 0) <> coalesce(open_items.amount, 0)
