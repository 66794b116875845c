-- Every version of a subscription that is known. Without a history, that is the present one.
{% set columns = {
    'id': 'bigint',
    'customer': 'bigint',
    'plan': 'text',
    'status': 'text',
    'mrr': 'decimal(38, 10)',
    'start_date': 'timestamp with time zone',
    'created_at': 'timestamp with time zone',
    'updated_at': 'timestamp with time zone',
    'canceled_at': 'timestamp with time zone'
} %}

with history as (
    {{ dbt_invoiced.available_rows(
        dbt_invoiced.history_of(source('invoiced', 'subscriptions')), columns
    ) }}
),

present as (
    select
        subscription_id, customer_id, plan_id, status, mrr, start_date, created_at, updated_at,
        canceled_at
    from {{ ref('stg_invoiced__subscriptions') }}
),

versions as (
    select * from present
    union all
    select
        history."id" as subscription_id,
        history."customer" as customer_id,
        history."plan" as plan_id,
        history."status",
        history."mrr",
        {{ dbt_invoiced.day_of('history."start_date"') }} as start_date,
        history."created_at",
        history."updated_at",
        history."canceled_at"
    from history
    inner join present on present.subscription_id = history."id"
    where history."updated_at" < present.updated_at
)

select
    *,
    row_number() over (partition by subscription_id order by updated_at) = 1 as is_first,
    lead(updated_at) over (partition by subscription_id order by updated_at) as replaced_at
from versions
