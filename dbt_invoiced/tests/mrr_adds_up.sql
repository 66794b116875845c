-- Every month's movements lead from its opening to its closing MRR, which opens the next month.
{{ config(meta={"dagster": {"ref": {"name": "invoiced__mrr_movements"}}}) }}
with movements as (
    select
        *,
        lag(mrr, 1, opening_mrr) over (
            partition by customer_id, currency order by month
        ) as former_mrr
    from {{ ref('invoiced__mrr_movements') }}
)

select *
from movements
where mrr <> opening_mrr + new_mrr + expansion_mrr + reactivated_mrr - contraction_mrr - churned_mrr
    or (opening_mrr <> 0 and opening_mrr <> former_mrr)
