"""`_writeback_plan`: the last plan of every write-back, as rows beside the data."""

from datetime import UTC, datetime
from typing import Any

from invoiced_pipeline.invoiced.http.json_body import encode_body
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.table_layout import TableLayout
from invoiced_pipeline.writeback.plan.plan import Plan, PlannedRow
from invoiced_pipeline.writeback.plan.rendering import shown_body, shown_value

PLANS = "_writeback_plan"

_LAYOUT = TableLayout(
    name=PLANS,
    types={
        **dict.fromkeys(("writeback", "operation"), "text"),
        "position": "bigint",
        **dict.fromkeys(("record_key", "action", "method", "path", "body", "changes"), "text"),
        **dict.fromkeys(("reason", "reason_param", "run_id"), "text"),
        "planned_at": "timestamp with time zone",
    },
)


def write_plan(database: Database, dataset: str, plan: Plan, run_id: str) -> None:
    """Replaces the write-back's last plan; tokens are left out.

    The caller holds the writer's lock, and has removed what must not be stored (`kept_plan`).

    Raises:
        WarehouseError: The warehouse cannot be written.
    """
    at = datetime.now(UTC)
    rows = [_row(plan, row, run_id, at) for row in plan.rows]
    with database.session(dataset) as session, session.transaction():
        _LAYOUT.create(session)
        session.run(f"delete from {PLANS} where writeback = %s", [plan.settings.name])  # noqa: S608
        _LAYOUT.insert(session, rows)


def _row(plan: Plan, row: PlannedRow, run_id: str, at: datetime) -> tuple[Any, ...]:
    body = None if row.body is None else encode_body(shown_body(plan.operation, row.body)).decode()
    changes = {
        change.field: {
            "before": change.before,
            "after": shown_value(plan.operation, change.field, change.after),
        }
        for change in row.changes
    }
    return (
        plan.settings.name,
        plan.operation.name,
        row.position,
        row.record_key,
        row.action,
        row.method,
        row.path,
        body,
        encode_body(changes).decode() if changes else None,
        row.reason,
        row.reason_param,
        run_id,
        at,
    )
