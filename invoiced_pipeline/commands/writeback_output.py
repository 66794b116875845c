"""Output of the write-back commands: tables for people, data for scripts."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.markup import escape

from invoiced_pipeline.commands.common.console import console, errors, say
from invoiced_pipeline.commands.common.grid import Grid
from invoiced_pipeline.defs.launch.launch import WritebackResult
from invoiced_pipeline.settings import WritebackSettings
from invoiced_pipeline.writeback.ledger.ledger import Entry, counts
from invoiced_pipeline.writeback.plan.plan import Plan
from invoiced_pipeline.writeback.plan.plan_summary import (
    change_rows,
    obstacles,
    problem_rows,
    sample_requests,
    warning_rows,
)
from invoiced_pipeline.writeback.plan.replaced_fields import (
    replaced_in,
    replaced_notes,
    requests_of,
)

_MOST_ROWS = 30


def plan_data(plan: Plan, host: str) -> dict[str, Any]:
    """A plan as data for scripts, with exact numbers and without tokens."""
    rows = [
        {
            **row.shown(plan.operation),
            "method": row.method or None,
            "path": row.path or None,
            "replaces": [name for name, _ in replaced_in(row, plan.operation)],
        }
        for row in plan.rows
    ]
    return {
        "writeback": plan.settings.name,
        "operation": plan.operation.name,
        "active": plan.settings.active,
        "counts": plan.counts,
        "refusal": plan.refusal(),
        "notes": [*plan.notes, *replaced_notes(plan)],
        "requests": requests_of(plan),
        "rows": rows,
        "samples": list(sample_requests(plan, host)),
    }


def show_plan(plan: Plan, host: str) -> None:
    """Shows a plan: counts, changes, problems, warnings, sample requests and notes."""
    say(console, f"{plan.operation.title}: {plan.settings.source.strip()[:200]}", style="bold")
    _show("What a push would do", ("action", "rows"),
          [(name, f"{n:,}") for name, n in plan.counts.items() if n])  # fmt: skip
    _show("Changes", ("record", "field", "before", "after"), change_rows(plan))
    _show("Not sent", ("record", "action", "field", "reason"), problem_rows(plan))
    _show("Warnings", ("record", "warning"), warning_rows(plan))
    for sample in sample_requests(plan, host):
        say(console, sample)
        console.print()
    for note in (*plan.notes, *replaced_notes(plan), *obstacles(plan)):
        say(console, note, style="yellow")


def result_data(result: WritebackResult) -> dict[str, Any]:
    """The result of a push as data for scripts."""
    metadata = result.metadata
    parents = {
        name.removeprefix("pushed_before_"): value
        for name, value in metadata.items()
        if name.startswith("pushed_before_")
    }
    return {
        "run_id": result.run_id,
        "error": result.error,
        "report": metadata.get("report"),
        "parents": parents,
        **({"response": metadata["response"]} if "response" in metadata else {}),
    }


def show_result(result: WritebackResult) -> None:
    """Shows the result of a push."""
    data = result_data(result)
    reports = [*data["parents"].values(), *([data["report"]] if data["report"] else [])]
    for report in reports:
        rows = [("unchanged", report["unchanged"]), *report["states"].items()]
        counted = [(state, f"{count:,}") for state, count in rows if count]
        _show(report["writeback"], ("rows", "count"), counted)
        problems = [
            (each["record_key"], each["state"], each["error_param"] or "", each["error"] or "")
            for each in report["problems"]
        ]
        _show("Look at these", ("record", "state", "field", "why"), problems)
        for key, fields in report["drifted"].items():
            names = ", ".join(fields)
            say(console, f"{key}: Invoiced holds other values in {names}", style="yellow")
        for note in report["notes"]:
            say(console, note, style="yellow")
    if "response" in data:
        say(console, json.dumps(data["response"], indent=2, ensure_ascii=False))
    if result.error:
        say(errors, f"Run {result.run_id} failed: {result.error}", style="red")


def status_data(writeback: WritebackSettings, entries: Mapping[str, Entry]) -> dict[str, Any]:
    """The states of a write-back's rows as data for scripts."""
    stamps = [each.last_attempt_at for each in entries.values() if each.last_attempt_at]
    return {
        "writeback": writeback.name,
        "operation": writeback.operation,
        "active": writeback.active,
        "states": counts(entries),
        "last_attempt_at": max(stamps).isoformat() if stamps else None,
        "problems": [
            {
                "record_key": each.record_key,
                "state": each.state,
                "status_code": each.status_code,
                "attempts": each.attempts,
                "error": each.error,
                "error_param": each.error_param,
            }
            for each in entries.values()
            if each.state != "succeeded"
        ],
    }


def show_status(data: Mapping[str, Any]) -> None:
    """Shows the states of a write-back's rows."""
    active = "active" if data["active"] else "not active: nothing is sent"
    say(console, f"{data['writeback']}: {data['operation']}, {active}", style="bold")
    states = [(state, f"{count:,}") for state, count in data["states"].items() if count]
    if not states:
        console.print("Nothing has been sent yet.")
    _show("Rows", ("state", "rows"), states)
    problems = [
        (each["record_key"], each["state"], each["error_param"] or "", each["error"] or "")
        for each in data["problems"]
    ]
    _show("Look at these", ("record", "state", "field", "why"), problems)
    if data["last_attempt_at"]:
        say(console, f"Last sent to Invoiced: {data['last_attempt_at']}")


def _show(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    found = list(rows)
    if not found:
        return
    table = Grid(title)
    for heading in headings:
        table.add_column(heading)
    for row in found[:_MOST_ROWS]:
        table.add_row(*map(escape, row))
    console.print(table)
    if len(found) > _MOST_ROWS:
        console.print(f"... and {len(found) - _MOST_ROWS:,} more: see _writeback_plan, or --json")
