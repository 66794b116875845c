with billed as (
    select customer_id, currency, {{ dbt_invoiced.total('amount', "movement_type = 'invoice'") }} as billed
    from {{ ref('invoiced__ar_ledger') }}
    where customer_id is not null
    group by customer_id, currency
),

paid as (
    select
        customer_id,
        currency,
        {{ dbt_invoiced.total('amount') }} as paid,
        max(case when applied_to <> 'refund' then receipt_date end) as last_payment_date,
        {{ dbt_invoiced.ratio(
            'sum(case when days_late is not null then amount * days_late end)',
            'sum(case when days_late is not null then amount end)'
        ) }} as average_days_late
    from {{ ref('invoiced__cash_receipts') }}
    where status = 'succeeded' and customer_id is not null
    group by customer_id, currency
),

owed as (
    select * from {{ ref('invoiced__ar_aging') }} where is_today and customer_id is not null
),

keys as (
    select customer_id, currency from billed
    union
    select customer_id, currency from paid
),

counted as (
    select
        keys.*,
        count(*) over (partition by customer_id) as currencies
    from keys
)

select
    counted.customer_id,
    counted.currency,
    customers.name as customer_name,
    customers.number as customer_number,
    coalesce(billed.billed, 0) as billed,
    coalesce(paid.paid, 0) as paid,
    coalesce(owed.total_open, 0) as open_amount,
    coalesce(owed.overdue, 0) as overdue,
    coalesce(owed.unapplied_cash, 0) as unapplied_cash,
    coalesce(owed.open_credits, 0) as open_credits,
    coalesce(owed.total_open, 0) - coalesce(owed.unapplied_cash, 0)
    - coalesce(owed.open_credits, 0) as exposure,
    -- The limit is in the customer's own currency; without one, only a single currency can be meant.
    case
        when customers.currency = counted.currency
            or (customers.currency is null and counted.currencies = 1)
        then customers.credit_limit
    end as credit_limit,
    paid.average_days_late,
    paid.last_payment_date
from counted
left join billed
    on billed.customer_id = counted.customer_id and billed.currency = counted.currency
left join paid
    on paid.customer_id = counted.customer_id and paid.currency = counted.currency
left join owed
    on owed.customer_id = counted.customer_id and owed.currency = counted.currency
left join {{ ref('stg_invoiced__customers') }} as customers
    on customers.customer_id = counted.customer_id
