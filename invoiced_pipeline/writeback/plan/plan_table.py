"""`_writeback_plan`: the last plan of every write-back, as rows beside the data."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from invoiced_pipeline.invoiced.http.json_body import encode_body
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.writeback.plan.plan import Plan, PlannedRow
from invoiced_pipeline.writeback.plan.rendering import shown_body, shown_value

PLANS = "_writeback_plan"

_CHUNK = 200
_TYPES: Mapping[str, str] = {
    **dict.fromkeys(("writeback", "operation"), "text"),
    "position": "bigint",
    **dict.fromkeys(("record_key", "action", "method", "path", "body", "changes"), "text"),
    **dict.fromkeys(("reason", "reason_param", "run_id"), "text"),
    "planned_at": "timestamp with time zone",
}
_NAMES = ", ".join(f'"{name}"' for name in _TYPES)
_DECLARED = ", ".join(f'"{name}" {kind}' for name, kind in _TYPES.items())
_PLACES = f"({', '.join(['%s'] * len(_TYPES))})"


def write_plan(database: Database, dataset: str, plan: Plan, run_id: str) -> None:
    """Keeps a plan in place of the write-back's last one; tokens are not among it.

    The caller holds the writer's lock, and leaves out what must not be kept (`kept_plan`).

    Raises:
        WarehouseError: It cannot be written.
    """
    at = datetime.now(UTC)
    rows = [_row(plan, row, run_id, at) for row in plan.rows]
    with database.session(dataset) as session, session.transaction():
        session.run(f"create table if not exists {PLANS} ({_DECLARED})")
        session.run(f"delete from {PLANS} where writeback = %s", [plan.settings.name])  # noqa: S608
        for some in _chunks(rows):
            values = ", ".join([_PLACES] * len(some))
            sql = f"insert into {PLANS} ({_NAMES}) values {values}"  # noqa: S608 - our own names
            session.run(sql, [value for row in some for value in row])


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


def _chunks(rows: Sequence[tuple[Any, ...]]) -> Iterator[Sequence[tuple[Any, ...]]]:
    for start in range(0, len(rows), _CHUNK):
        yield rows[start : start + _CHUNK]
