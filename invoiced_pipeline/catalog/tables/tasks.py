"""The table `tasks`."""

from invoiced_pipeline.catalog.model import Column, ForeignKey, Table

TASKS = Table(
    name="tasks",
    singular="task",
    description="Tasks: what users have to do about a customer, such as a call.",
    path="/tasks",
    docs_url="https://developer.invoiced.com/api/tasks",
    listing="filtered",
    columns=(
        Column("id", "bigint", "Task ID."),
        Column("name", "text", "What is to be done."),
        Column(
            "action",
            "text",
            (
                "Kind of task: `phone`, `letter`, `email`, `review`, `approve_bill` or "
                "`approve_vendor_credit`."
            ),
        ),
        Column("customer_id", "bigint", "Customer that the task is about."),
        Column("customer", "bigint", "The same ID as customer_id: use either.", twin="customer_id"),
        Column("user_id", "bigint", "User who is to do it, null while nobody is."),
        Column("due_date", "timestamp", "When it is due (UTC)."),
        Column("complete", "boolean", "Whether it is done."),
        Column("completed_date", "timestamp", "When it was done (UTC), null until then."),
        Column("completed_by_user_id", "bigint", "User who did it, null until then."),
        Column("chase_step_id", "bigint", "Step of the chasing cadence that the task comes from."),
        Column("bill_id", "bigint", "Bill that is to be approved."),
        Column("bill", "bigint", "The same ID as bill_id: use either.", twin="bill_id"),
        Column("vendor_credit_id", "bigint", "Vendor credit that is to be approved."),
        Column(
            "vendor_credit",
            "bigint",
            "The same ID as vendor_credit_id: use either.",
            twin="vendor_credit_id",
        ),
        Column("created_at", "timestamp", "When the task was created (UTC)."),
        Column("updated_at", "timestamp", "When the task last changed (UTC)."),
    ),
    foreign_keys=(ForeignKey("customer_id", "customers", cascades=True),),
    deletion_event="task.deleted",
    filters_by_id=False,
)
