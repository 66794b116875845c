-- Every movement of a document's balance that the records in Invoiced show. A positive amount is
-- owed by the customer, a negative one to the customer.
with applied as (
    select
        applications.*,
        invoices.invoice_id is not null as has_invoice,
        credit_notes.credit_note_id is not null as has_credit_note,
        -- Money that came before the document waits until the document exists.
        greatest(
            applications.applied_date, invoices.invoice_date, credit_notes.credit_note_date
        ) as movement_date,
        invoices.customer_id as invoice_customer_id,
        credit_notes.customer_id as credit_note_customer_id
    from {{ ref('int_invoiced__applications') }} as applications
    left join {{ ref('int_invoiced__invoices') }} as invoices
        on invoices.invoice_id = applications.invoice_id
    left join {{ ref('int_invoiced__credit_notes') }} as credit_notes
        on credit_notes.credit_note_id = applications.credit_note_id
),

payments as (
    select
        payment_id,
        customer_id,
        currency,
        coalesce(payment_date, {{ dbt_invoiced.day_of('created_at') }}) as payment_date,
        coalesce(amount, 0) as amount,
        created_at
    from {{ ref('stg_invoiced__payments') }}
    where not coalesce(voided, false)
)

select
    'invoice' as document_type,
    invoice_id as document_id,
    'invoice' as movement_type,
    invoice_date as movement_date,
    created_at as recorded_at,
    total as amount,
    customer_id,
    currency,
    cast(null as bigint) as payment_id,
    cast(null as bigint) as transaction_id
from {{ ref('int_invoiced__invoices') }}

union all

select
    'invoice',
    invoice_id,
    case type
        when 'invoice' then 'payment'
        when 'credit_note' then 'credit_note'
        when 'refund' then 'refund'
        when 'document_adjustment' then 'adjustment'
        else 'credit'
    end,
    movement_date,
    recorded_at,
    case when type = 'refund' then amount else -amount end,
    invoice_customer_id,
    currency,
    payment_id,
    transaction_id
from applied
where has_invoice and status = 'succeeded'

union all

select
    'credit_note',
    credit_note_id,
    'credit_note',
    credit_note_date,
    created_at,
    -total,
    customer_id,
    currency,
    null,
    null
from {{ ref('int_invoiced__credit_notes') }}

union all

select
    'credit_note',
    credit_note_id,
    case type when 'refund' then 'refund' else 'credit_note_applied' end,
    movement_date,
    recorded_at,
    amount,
    credit_note_customer_id,
    currency,
    payment_id,
    transaction_id
from applied
where has_credit_note and status = 'succeeded'
    and (type = 'credit_note' or (type = 'refund' and invoice_id is null))

union all

select
    'payment',
    payment_id,
    'payment',
    payment_date,
    created_at,
    -amount,
    customer_id,
    currency,
    payment_id,
    null
from payments

union all

-- The share of a pending payment has left the payment, but is not off the invoice yet.
select
    'payment',
    payment_id,
    'payment_applied',
    movement_date,
    recorded_at,
    amount,
    customer_id,
    currency,
    payment_id,
    transaction_id
from applied
where payment_id is not null and type in ('invoice', 'estimate', 'credit', 'convenience_fee')

union all

-- Money recorded without a payment, in the older way, and applied to no document.
select
    'transaction',
    transaction_id,
    'payment',
    movement_date,
    recorded_at,
    -amount,
    customer_id,
    currency,
    null,
    transaction_id
from applied
where type = 'unapplied' and status = 'succeeded'

union all

-- The credit balance, which Invoiced keeps for each customer and currency and adds up from
-- transactions: credit that is granted is negative there, too.
select
    'credit_balance',
    transactions.customer_id,
    case transactions.type when 'charge' then 'credit_applied' else 'credit' end,
    greatest(transactions.transaction_date, invoices.invoice_date),
    transactions.created_at,
    transactions.amount,
    transactions.customer_id,
    transactions.currency,
    transactions.payment_id,
    transactions.transaction_id
from {{ ref('stg_invoiced__transactions') }} as transactions
left join {{ ref('int_invoiced__invoices') }} as invoices
    on invoices.invoice_id = transactions.invoice_id
where transactions.method = 'balance'
    and transactions.type in ('adjustment', 'charge')
    and transactions.status = 'succeeded'

union all

select
    'estimate',
    estimate_id,
    'deposit',
    movement_date,
    recorded_at,
    -amount,
    customer_id,
    currency,
    payment_id,
    transaction_id
from applied
where status = 'succeeded' and estimate_id is not null and invoice_id is null
    and type in ('estimate', 'applied_credit', 'credit_note', 'document_adjustment')
