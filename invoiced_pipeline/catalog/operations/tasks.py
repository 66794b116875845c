"""Operations on tasks."""

from dataclasses import replace

from invoiced_pipeline.catalog.operations.model import Field, NaturalKey, Operation
from invoiced_pipeline.catalog.operations.shapes import (
    booleans,
    customer,
)

CREATE_TASK = Operation(
    name="create_task",
    title="Create task",
    description="Creates a task for the team, with or without a customer.",
    kind="create",
    method="POST",
    path="/tasks",
    docs_url="https://developer.invoiced.com/api/tasks",
    singular="task",
    fields=(
        Field(
            name="name", type="text", description="What to do.", required=True,
            nullable=False,
        ),
        Field(
            name="action", type="text", description="E.g. `phone`, `letter`, `email`, `review`.",
            required=True, nullable=False,
        ),
        Field(
            name="due_date", type="timestamp", description="When it is due.", required=True,
            nullable=False,
        ),
        replace(customer("customer_id", required=False), creation_only=False),
        *(
            Field(name=name, type="integer", description=description)
            for name, description in {
                "user_id": "User who does it.",
                "completed_by_user_id": "User who did it.",
                "bill_id": "Bill to approve.",
                "vendor_credit_id": "Vendor credit to approve.",
            }.items()
        ),
        *booleans({"complete": "Whether it is done."}),
    ),
    strict=True,
    unwanted=(
        ("customer", "call it customer_id"),
        *(
            (name, "a task cannot carry an invoice: name it in the text, and set customer_id")
            for name in ("invoice", "invoice_id")
        ),
    ),
    natural_key=NaturalKey(
        list_path="/tasks",
        compare=tuple(
            (name, name)
            for name in ("name", "action", "due_date", "customer_id", "user_id", "bill_id")
        ),
    ),
    update_path="/tasks/{id}",
)  # fmt: skip
