with shown as (
    select * from {{ ref('int_invoiced__movements') }} where amount <> 0
),

known as (
    select document_type, document_id, {{ dbt_invoiced.total('amount') }} as amount
    from shown
    where document_type in ('invoice', 'credit_note')
    group by document_type, document_id
),

-- What Invoiced's own balances hold beyond the records in the warehouse. It is dated like the
-- document: nothing tells when it happened.
unexplained as (
    select
        'invoice' as document_type,
        invoices.invoice_id as document_id,
        'unexplained' as movement_type,
        invoices.invoice_date as movement_date,
        invoices.created_at as recorded_at,
        invoices.balance - coalesce(known.amount, 0) as amount,
        invoices.customer_id,
        invoices.currency
    from {{ ref('int_invoiced__invoices') }} as invoices
    left join known
        on known.document_type = 'invoice' and known.document_id = invoices.invoice_id
    where invoices.balance <> coalesce(known.amount, 0)

    union all

    select
        'credit_note',
        notes.credit_note_id,
        'unexplained',
        notes.credit_note_date,
        notes.created_at,
        -notes.balance - coalesce(known.amount, 0),
        notes.customer_id,
        notes.currency
    from {{ ref('int_invoiced__credit_notes') }} as notes
    left join known
        on known.document_type = 'credit_note' and known.document_id = notes.credit_note_id
    where -notes.balance <> coalesce(known.amount, 0)

    union all

    -- The rest of a closed credit note can no longer be used; it was closed when it last changed.
    select
        'credit_note',
        credit_note_id,
        'closed',
        greatest(credit_note_date, {{ dbt_invoiced.day_of('updated_at') }}),
        updated_at,
        balance,
        customer_id,
        currency
    from {{ ref('int_invoiced__credit_notes') }}
    where status = 'closed' and balance <> 0
),

-- Voided documents count nowhere: they are listed with an amount of 0.
voided as (
    select
        'invoice' as document_type,
        invoice_id as document_id,
        coalesce(invoice_date, {{ dbt_invoiced.day_of('created_at') }}) as movement_date,
        created_at as recorded_at,
        customer_id,
        currency
    from {{ ref('stg_invoiced__invoices') }}
    where status = 'voided'

    union all

    select
        'credit_note',
        credit_note_id,
        coalesce(credit_note_date, {{ dbt_invoiced.day_of('created_at') }}),
        created_at,
        customer_id,
        currency
    from {{ ref('stg_invoiced__credit_notes') }}
    where status = 'voided'

    union all

    select
        'payment',
        payment_id,
        coalesce(payment_date, {{ dbt_invoiced.day_of('created_at') }}),
        created_at,
        customer_id,
        currency
    from {{ ref('stg_invoiced__payments') }}
    where voided
),

movements as (
    select * from shown

    union all

    select
        document_type, document_id, movement_type, movement_date, recorded_at, amount, customer_id,
        currency, null, null
    from unexplained

    union all

    select
        document_type, document_id, 'void', movement_date, recorded_at, 0, customer_id, currency,
        null, null
    from voided
),

dated as (
    select
        document_type,
        document_id,
        movement_type,
        {{ dbt_invoiced.counted_on('movement_date', 'recorded_at') }} as movement_date,
        cast(amount as decimal(38, 10)) as amount,
        currency,
        customer_id,
        payment_id,
        transaction_id
    from movements
)

select * from dated where movement_date <= {{ dbt_invoiced.as_of() }}
