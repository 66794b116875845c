with applications as (
    select * from {{ ref('int_invoiced__applications') }}
    where type in ('invoice', 'estimate', 'credit', 'convenience_fee', 'unapplied', 'refund')
        and not (type = 'credit' and payment_id is null)
),

payments as (
    select
        payment_id,
        customer_id,
        currency,
        method,
        coalesce(payment_date, {{ dbt_invoiced.day_of('created_at') }}) as payment_date,
        coalesce(amount, 0) as amount,
        created_at
    from {{ ref('stg_invoiced__payments') }}
    where not coalesce(voided, false)
),

used as (
    select payment_id, sum(amount) as amount
    from applications
    where payment_id is not null and type <> 'refund'
    group by payment_id
),

receipts as (
    select
        payment_id,
        transaction_id,
        customer_id,
        currency,
        method,
        applied_date as receipt_date,
        recorded_at,
        type as applied_to,
        case when type = 'refund' then -amount else amount end as amount,
        invoice_id,
        status
    from applications

    union all

    select
        payments.payment_id,
        null,
        payments.customer_id,
        payments.currency,
        payments.method,
        payments.payment_date,
        payments.created_at,
        'unapplied',
        payments.amount - coalesce(used.amount, 0),
        null,
        'succeeded'
    from payments
    left join used on used.payment_id = payments.payment_id
    where payments.amount <> coalesce(used.amount, 0)
),

dated as (
    select
        receipts.*,
        {{ dbt_invoiced.counted_on('receipt_date', 'recorded_at') }} as counted_date
    from receipts
    where amount <> 0
)

select
    coalesce(cast(dated.payment_id as varchar), 'none')
    || '-' || coalesce(cast(dated.transaction_id as varchar), 'unapplied') as cash_receipt_id,
    dated.payment_id,
    dated.transaction_id,
    dated.customer_id,
    dated.currency,
    dated.method,
    dated.counted_date as receipt_date,
    dated.applied_to,
    cast(dated.amount as decimal(38, 10)) as amount,
    dated.status,
    dated.invoice_id,
    invoices.invoice_number,
    invoices.invoice_date,
    invoices.due_date,
    case when dated.applied_to = 'invoice'
        then dated.counted_date - invoices.invoice_date end as days_to_pay,
    case when dated.applied_to = 'invoice'
        then dated.counted_date - invoices.due_date end as days_late
from dated
left join {{ ref('int_invoiced__invoices') }} as invoices
    on invoices.invoice_id = dated.invoice_id
where dated.counted_date <= {{ dbt_invoiced.as_of() }}
