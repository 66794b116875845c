"""Plans of rows that a test writes down, without a source."""

from collections.abc import Mapping, Sequence
from typing import Any

from invoiced_pipeline.settings import WritebackSettings
from invoiced_pipeline.warehouse.database import Database, Selection
from invoiced_pipeline.writeback.ledger.prior_outcomes import PriorOutcome
from invoiced_pipeline.writeback.plan.plan import Plan, PlannedRow
from invoiced_pipeline.writeback.plan.planner import Ledgers, PlanRequest, plan_rows
from invoiced_pipeline.writeback.plan.row_planner import NO_RETRIES, Retries

NAME = "it"


def plan_of(
    database: Database,
    operation: str,
    *rows: Mapping[str, Any],
    known: Mapping[str, PriorOutcome] | None = None,
    others: Ledgers | None = None,
    retries: Retries = NO_RETRIES,
    **settings: Any,
) -> Plan:
    """The plan of rows, each a dict of columns; the key column is called `key` and not sent."""
    columns: Sequence[str] = tuple(dict.fromkeys(["key", *(name for row in rows for name in row)]))
    selection = Selection(
        columns=tuple(columns),
        rows=[
            tuple({"key": f"k{number}", **row}.get(name) for name in columns)
            for number, row in enumerate(rows)
        ],
    )
    options = {"exclude": ["key"], "source": "rows", "key": "key", "active": True} | settings
    request = PlanRequest(
        settings=WritebackSettings(name=NAME, operation=operation, **options),  # pyright: ignore[reportArgumentType]
        dataset="invoiced",
        ledgers={NAME: known or {}, **(others or {})},
        parent_keys=dict.fromkeys([NAME, *(others or {})], "key"),
        retries=retries,
    )
    return plan_rows(request, selection, database)


def planned(
    database: Database, operation: str, row: Mapping[str, Any], **options: Any
) -> PlannedRow:
    """The plan of one row."""
    (found,) = plan_of(database, operation, row, **options).rows
    return found
