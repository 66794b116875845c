with month_ends as (
    {{ dbt_invoiced.month_ends(
        'select min(active_from) from ' ~ ref('int_invoiced__subscription_periods')
    ) }}
),

-- A subscription counts at a month end if it started by that day and had not ended.
closings as (
    select
        month_ends.month,
        periods.customer_id,
        periods.currency,
        sum(periods.mrr) as mrr
    from {{ ref('int_invoiced__subscription_periods') }} as periods
    inner join month_ends
        on month_ends.as_of_date >= periods.active_from
        and month_ends.as_of_date < coalesce(periods.active_until, cast('9999-12-31' as date))
    group by month_ends.month, periods.customer_id, periods.currency
),

customers as (
    select customer_id, currency, min(month) as first_month
    from closings
    group by customer_id, currency
),

monthly as (
    select
        month_ends.month,
        customers.customer_id,
        customers.currency,
        month_ends.month = customers.first_month as is_first,
        coalesce(closings.mrr, 0) as mrr,
        lag(coalesce(closings.mrr, 0), 1, 0) over (
            partition by customers.customer_id, customers.currency order by month_ends.month
        ) as opening_mrr
    from month_ends
    inner join customers on month_ends.month >= customers.first_month
    left join closings
        on closings.month = month_ends.month
        and closings.customer_id = customers.customer_id
        and closings.currency = customers.currency
),

movements as (
    select
        month,
        customer_id,
        currency,
        opening_mrr,
        case when is_first then mrr else 0 end as new_mrr,
        case when opening_mrr > 0 and mrr > opening_mrr then mrr - opening_mrr else 0 end
            as expansion_mrr,
        case when mrr > 0 and mrr < opening_mrr then opening_mrr - mrr else 0 end
            as contraction_mrr,
        case when opening_mrr > 0 and mrr = 0 then opening_mrr else 0 end as churned_mrr,
        case when opening_mrr = 0 and mrr > 0 and not is_first then mrr else 0 end
            as reactivated_mrr,
        mrr
    from monthly
    -- The first month only carries the balance before the months that are shown.
    where month > (select min(month) from month_ends) and (mrr <> 0 or opening_mrr <> 0)
),

retained as (
    select
        month,
        currency,
        sum(opening_mrr) as opening_mrr,
        sum(opening_mrr + expansion_mrr - contraction_mrr - churned_mrr) as retained_mrr
    from movements
    group by month, currency
)

select
    movements.month,
    movements.customer_id,
    movements.currency,
    {%- for column in [
        'opening_mrr', 'new_mrr', 'expansion_mrr', 'contraction_mrr', 'churned_mrr',
        'reactivated_mrr', 'mrr'
    ] %}
    cast(movements.{{ column }} as decimal(38, 10)) as {{ column }},
    {%- endfor %}
    cast(12 * movements.mrr as decimal(38, 10)) as arr,
    {{ dbt_invoiced.ratio('retained.retained_mrr', 'retained.opening_mrr', 100) }}
        as net_revenue_retention
from movements
inner join retained
    on retained.month = movements.month and retained.currency = movements.currency
