"""A write-back's plan and report as metadata of its run, for Dagster's UI and for scripts."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import dagster as dg

from invoiced_pipeline.invoiced.http.json_body import encode_body
from invoiced_pipeline.writeback.plan.plan import SENT, Plan
from invoiced_pipeline.writeback.plan.plan_summary import (
    change_rows,
    obstacles,
    problem_rows,
    sample_requests,
    warning_rows,
)
from invoiced_pipeline.writeback.plan.replaced_fields import replaced_notes
from invoiced_pipeline.writeback.plan.tokens import without_tokens
from invoiced_pipeline.writeback.push.report import PushReport

_MAX_ROWS = 50
_MAX_FAILURES = 100
_MAX_TEXT = 300
"""Characters of a body in a cell."""

_TABLES: Mapping[str, Mapping[str, str]] = {
    "plan": {
        "record": "Key of the source row.",
        "action": "What a push does with the row.",
        "request": "Method and path.",
        "body": "Body of the request, JSON; tokens are not shown.",
    },
    "changes": {
        "record": "Key of the source row.",
        "field": "Field that the update changes.",
        "before": "Value in the replica.",
        "after": "Value that is sent.",
    },
    "not_sent": {
        "record": "Key of the source row.",
        "action": "`invalid` or `held`.",
        "field": "Field that the reason is about.",
        "reason": "Why the row is not sent.",
    },
    "warnings": {
        "record": "Key of the source row.",
        "warning": "What to look at before the row is sent.",
    },
}
"""Columns of every table with their descriptions."""


def plan_metadata(plan: Plan, host: str) -> dict[str, Any]:
    """Makes the metadata of a plan: counts, tables of at most 50 rows, and sample requests.

    Args:
        plan: The plan, without what must not be stored (`redacted_plan`).
        host: Scheme and host of the API.
    """
    counts = {
        f"rows_to_{action}" if action in SENT else f"rows_{action}": count
        for action, count in plan.counts.items()
    }
    rows = {
        "plan": _request_rows(plan),
        "changes": change_rows(plan),
        "not_sent": problem_rows(plan),
        "warnings": warning_rows(plan),
    }
    tables = {name: _table(name, each) for name, each in rows.items()}
    shown = {name: table for name, table in tables.items() if table.records or name == "plan"}
    notes = "\n".join([*plan.notes, *replaced_notes(plan), *obstacles(plan), *_omitted(plan)])
    # A fence longer than any in the text: the text is shown as it is.
    samples = "\n\n".join(f"`````\n{each}\n`````" for each in sample_requests(plan, host))
    return {
        **shown,
        **({"notes": notes} if notes else {}),
        **({"sample_requests": dg.MetadataValue.md(samples)} if samples else {}),
        "rows": len(plan.rows),
        **counts,
    }


def _request_rows(plan: Plan) -> Iterator[tuple[str, str, str, str]]:
    """Yields record key, action, request and body of rows that are sent."""
    for row in plan.to_send:
        body = ""
        if row.body is not None:
            body = encode_body(without_tokens(plan.operation, row.body)).decode()
        text = body if len(body) <= _MAX_TEXT else f"{body[: _MAX_TEXT - 1]}…"
        yield row.record_key, row.action, f"{row.method} {row.path}", text


def _table(name: str, rows: Iterable[Sequence[str]]) -> dg.TableMetadataValue:
    columns = _TABLES[name]
    return dg.MetadataValue.table(
        records=[
            dg.TableRecord(dict(zip(columns, row, strict=True))) for row in islice(rows, _MAX_ROWS)
        ],
        schema=dg.TableSchema(
            columns=[
                dg.TableColumn(column, "string", description=text)
                for column, text in columns.items()
            ]
        ),
    )


def _omitted(plan: Plan) -> Iterator[str]:
    """Says how many rows the tables leave out."""
    not_sent = plan.counts["invalid"] + plan.counts["held"]
    for what, count in (("to send", len(plan.to_send)), ("not sent", not_sent)):
        if count > _MAX_ROWS:
            yield f"Rows {what} that are not shown: {count - _MAX_ROWS:,}. See _writeback_plan."


def report_metadata(report: PushReport, *, is_parent: bool) -> dict[str, Any]:
    """Makes the metadata of a push.

    Args:
        report: What the push did.
        is_parent: Whether it pushed a write-back that the run's own one refers to.
    """
    data = report_data(report)
    if is_parent:
        return {f"pushed_before_{report.writeback}": dg.MetadataValue.json(data)}
    counts = ("succeeded", "unchanged", "verified", "requests", "seconds")
    return {"report": dg.MetadataValue.json(data), **{name: data[name] for name in counts}}


def report_data(report: PushReport) -> dict[str, Any]:
    """Returns a report as JSON, for the run's page and for scripts."""
    return {
        "writeback": report.writeback,
        "operation": report.operation,
        "rows": report.rows,
        "unchanged": report.unchanged,
        "succeeded": report.succeeded,
        "states": dict(report.states),
        "verified": report.verified,
        "drifted": report.drifted,
        "problems": [
            {
                "record_key": each.record_key,
                "state": each.state,
                "status_code": each.status_code,
                "error": each.error,
                "error_param": each.error_param,
            }
            for each in report.failures[:_MAX_FAILURES]
        ],
        "notes": report.notes,
        "failure": report.failure,
        "requests": report.tally.requests,
        "retries": report.tally.retries,
        "wait_seconds": round(report.tally.wait_seconds, 3),
        "seconds": round(report.seconds, 3),
    }
