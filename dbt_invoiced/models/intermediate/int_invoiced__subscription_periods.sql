-- When each subscription was billed, with the monthly revenue that it has now: the replica holds no
-- earlier versions. A subscription has the currency of its plan.
with periods as (
    select
        subscriptions.subscription_id,
        subscriptions.customer_id,
        coalesce(plans.currency, customers.currency, 'unknown') as currency,
        coalesce(subscriptions.mrr, 0) as mrr,
        coalesce(subscriptions.start_date, {{ dbt_invoiced.day_of('subscriptions.created_at') }})
            as active_from,
        -- Invoiced says when a subscription was canceled. One that is paused or finished has been
        -- so since it last changed, at the latest.
        case
            when subscriptions.canceled_at is not null
            then {{ dbt_invoiced.day_of('subscriptions.canceled_at') }}
            when subscriptions.status in ('paused', 'finished', 'canceled')
            then {{ dbt_invoiced.day_of('subscriptions.updated_at') }}
        end as active_until
    from {{ ref('stg_invoiced__subscriptions') }} as subscriptions
    left join {{ ref('stg_invoiced__plans') }} as plans
        on plans.plan_id = subscriptions.plan_id
    left join {{ ref('stg_invoiced__customers') }} as customers
        on customers.customer_id = subscriptions.customer_id
    where coalesce(subscriptions.status, '') <> 'not_started'
)

select * from periods
where mrr <> 0
    and active_from <= {{ dbt_invoiced.as_of() }}
    and (active_until is null or active_until > active_from)
