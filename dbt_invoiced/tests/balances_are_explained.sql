-- Balances in Invoiced that the records in the warehouse do not explain: payments from before the
-- start date, or changes that the API does not show.
{{ config(severity="warn", meta={"dagster": {"ref": {"name": "invoiced__ar_ledger"}}}) }}
select * from {{ ref('invoiced__ar_ledger') }} where movement_type = 'unexplained'
