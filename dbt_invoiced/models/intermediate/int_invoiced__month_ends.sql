-- The days that receivables are described for: month ends (UTC), and today.
{{ dbt_invoiced.month_ends('select min(movement_date) from ' ~ ref('invoiced__ar_ledger')) }}
