-- Money and credit as it was applied, one row for each payment and document. The array of a payment
-- is always right, while its transactions vanish without an event when it is applied again: so
-- transactions are used only where no payment exists, and for refunds.
with splits as (
    select
        payments.payment_id,
        applied.transaction_id,
        payments.customer_id,
        payments.currency,
        payments.method,
        payments.payment_date as applied_date,
        coalesce(transactions.created_at, payments.created_at) as recorded_at,
        applied.type,
        applied.amount,
        applied.invoice_id,
        applied.credit_note_id,
        applied.estimate_id,
        coalesce(transactions.status, 'succeeded') as status
    from {{ ref('stg_invoiced__payments__applied_to') }} as applied
    inner join {{ ref('stg_invoiced__payments') }} as payments
        on payments.payment_id = applied.payment_id
    left join {{ ref('stg_invoiced__transactions') }} as transactions
        on transactions.transaction_id = applied.transaction_id
    where not coalesce(payments.voided, false)
),

transactions as (
    select
        payment_id,
        transaction_id,
        customer_id,
        currency,
        method,
        transaction_date as applied_date,
        created_at as recorded_at,
        case
            when type = 'refund' then 'refund'
            when type = 'charge' and method = 'balance' then 'applied_credit'
            when type in ('payment', 'charge') and invoice_id is not null then 'invoice'
            when type in ('payment', 'charge') and estimate_id is not null then 'estimate'
            when type in ('payment', 'charge') then 'unapplied'
            when type = 'adjustment' and method = 'balance' then 'credit'
            else 'document_adjustment'
        end as type,
        -- Credit that is granted is negative in Invoiced.
        case when type in ('payment', 'charge', 'refund') then amount else -amount end as amount,
        invoice_id,
        credit_note_id,
        estimate_id,
        status
    from {{ ref('stg_invoiced__transactions') }}
    where payment_id is null or type = 'refund'
)

select * from splits
union all
select * from transactions
