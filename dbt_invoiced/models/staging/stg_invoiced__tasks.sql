-- Generated from the catalog by `make docs`: edit the catalog instead.
{% set columns = {
    'id': 'bigint',
    'name': 'text',
    'action': 'text',
    'customer_id': 'bigint',
    'user_id': 'bigint',
    'due_date': 'timestamp with time zone',
    'complete': 'boolean',
    'completed_date': 'timestamp with time zone',
    'completed_by_user_id': 'bigint',
    'chase_step_id': 'bigint',
    'bill_id': 'bigint',
    'vendor_credit_id': 'bigint',
    'created_at': 'timestamp with time zone',
    'updated_at': 'timestamp with time zone',
    '_deleted_at': 'timestamp with time zone'
} %}

with available as (
    {{ dbt_invoiced.available_rows(source('invoiced', 'tasks'), columns) }}
)

select
    "id" as task_id,
    "name",
    "action",
    "customer_id",
    "user_id",
    "due_date",
    "complete",
    "completed_date",
    "completed_by_user_id",
    "chase_step_id",
    "bill_id",
    "vendor_credit_id",
    "created_at",
    "updated_at"
from available
where _deleted_at is null
