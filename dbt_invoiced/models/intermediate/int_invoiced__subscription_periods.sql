-- When each version of a subscription was billed, with its monthly revenue. The oldest version that is
-- known stands for all the time before it. A subscription has the currency of its plan.
with versions as (
    select
        *,
        coalesce(start_date, {{ dbt_invoiced.day_of('created_at') }}) as started_on,
        {{ dbt_invoiced.day_of('updated_at') }} as changed_on,
        {{ dbt_invoiced.day_of('replaced_at') }} as replaced_on,
        -- Invoiced says when a subscription was canceled. One that is paused or finished has been
        -- so since it last changed, at the latest.
        case
            when canceled_at is not null then {{ dbt_invoiced.day_of('canceled_at') }}
            when status in ('paused', 'finished', 'canceled')
            then {{ dbt_invoiced.day_of('updated_at') }}
        end as ended_on
    from {{ ref('int_invoiced__subscription_versions') }}
),

periods as (
    select
        versions.subscription_id,
        versions.customer_id,
        coalesce(plans.currency, customers.currency, 'unknown') as currency,
        coalesce(versions.mrr, 0) as mrr,
        case
            when versions.is_first or versions.changed_on < versions.started_on
            then versions.started_on
            else versions.changed_on
        end as active_from,
        case
            when versions.replaced_on < coalesce(versions.ended_on, cast('9999-12-31' as date))
            then versions.replaced_on
            else versions.ended_on
        end as active_until
    from versions
    left join {{ ref('stg_invoiced__plans') }} as plans
        on plans.plan_id = versions.plan_id
    left join {{ ref('stg_invoiced__customers') }} as customers
        on customers.customer_id = versions.customer_id
    where coalesce(versions.status, '') <> 'not_started'
)

select * from periods
where mrr <> 0
    and active_from <= {{ dbt_invoiced.as_of() }}
    and (active_until is null or active_until > active_from)
