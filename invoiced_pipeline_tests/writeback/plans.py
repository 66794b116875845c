"""Plans of handmade rows, without a source."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from invoiced_pipeline.settings import WritebackSettings
from invoiced_pipeline.warehouse.database import Database, Selection
from invoiced_pipeline.writeback.ledger.ledger import Entry
from invoiced_pipeline.writeback.plan.plan import Plan, PlannedRow
from invoiced_pipeline.writeback.plan.planner import Ledgers, PlanRequest, plan_rows
from invoiced_pipeline.writeback.plan.send_decision import NO_RETRIES, Retries

NAME = "it"


def ledger_entry(**fields: Any) -> Entry:
    """Makes a ledger entry; `plan_of` sets its record key."""
    return Entry(**{"writeback": NAME, "record_key": "", "payload_hash": "h", **fields})


def plan_of(
    database: Database,
    operation: str,
    *rows: Mapping[str, Any],
    known: Mapping[str, Entry] | None = None,
    others: Ledgers | None = None,
    records: Mapping[str, Mapping[str, Mapping[str, Any]]] | None = None,
    retries: Retries = NO_RETRIES,
    **settings: Any,
) -> Plan:
    """Plans rows, each a dict of columns; the key column is called `key` and is not sent."""
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
        ledgers={
            name: {key: replace(entry, record_key=key) for key, entry in entries.items()}
            for name, entries in {NAME: known or {}, **(others or {})}.items()
        },
        records=records or {},
        parent_keys=dict.fromkeys([NAME, *(others or {})], "key"),
        retries=retries,
    )
    return plan_rows(request, selection, database)


def planned(
    database: Database, operation: str, row: Mapping[str, Any], **options: Any
) -> PlannedRow:
    """Plans one row."""
    (found,) = plan_of(database, operation, row, **options).rows
    return found
