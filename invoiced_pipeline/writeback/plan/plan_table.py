"""The table `_writeback_plan`: the last plan of every write-back, one row for each of its rows."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from invoiced_pipeline.invoiced.http.json_body import encode_body
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.table_layout import TableLayout
from invoiced_pipeline.writeback.plan.plan import Plan, PlannedRow

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
    """Replaces a write-back's plan in the table; tokens are hidden.

    The caller holds the writer's lock and redacts the plan (`redacted_plan`).

    Raises:
        WarehouseError: The table cannot be written.
    """
    at = datetime.now(UTC)
    rows = [_row(plan, row, run_id, at) for row in plan.rows]
    with database.session(dataset) as session, session.transaction():
        _LAYOUT.create(session)
        session.run(f"delete from {PLANS} where writeback = %s", [plan.settings.name])  # noqa: S608
        _LAYOUT.insert(session, rows)


def _row(plan: Plan, row: PlannedRow, run_id: str, at: datetime) -> tuple[Any, ...]:
    shown = row.shown(plan.operation)
    values = {
        **shown,
        "writeback": plan.settings.name,
        "operation": plan.operation.name,
        "body": _json(shown["body"]),
        "changes": _json(shown["changes"] or None),
        "run_id": run_id,
        "planned_at": at,
    }
    return tuple(values[name] for name in _LAYOUT.types)


def _json(value: Mapping[str, Any] | None) -> str | None:
    return None if value is None else encode_body(value).decode()
