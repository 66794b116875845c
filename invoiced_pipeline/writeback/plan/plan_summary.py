"""A plan for people: counts, changes, problems, and sample requests without secrets."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from invoiced_pipeline.invoiced.http.json_body import encode_body
from invoiced_pipeline.writeback.plan.plan import Plan, PlannedRow
from invoiced_pipeline.writeback.plan.tokens import without_token, without_tokens
from invoiced_pipeline.writeback.source.payment_data import HIDDEN

SAMPLES = 3
"""Sample requests of each action."""
_LONGEST = 120


def sample_requests(plan: Plan, host: str) -> Iterator[str]:
    """Yields the first requests of each action as they would be sent, without secrets.

    Args:
        plan: The plan.
        host: Scheme and host of the API.
    """
    shown: dict[str, int] = {}
    seen: set[int] = set()
    for row in plan.to_send:
        if row.batch is not None and row.batch in seen:
            continue
        if shown.setdefault(row.action, 0) >= SAMPLES:
            continue
        shown[row.action] += 1
        seen.add(-1 if row.batch is None else row.batch)
        rows = [each for each in plan.to_send if row.batch is not None and each.batch == row.batch]
        yield _request(plan, row, rows, host)


def obstacles(plan: Plan) -> list[str]:
    """All reasons why a push would send nothing of a plan; a push itself names the first."""
    return [text for text in (plan.inactive_note(), plan.excess()) if text]


def change_rows(plan: Plan) -> Iterator[tuple[str, str, str, str]]:
    """Yields record key, field, before and after of every change."""
    for row in plan.to_send:
        for change in row.changes:
            after = without_token(plan.operation, change.field, change.after)
            yield row.record_key, change.field, _text(change.before), _text(after)


def problem_rows(plan: Plan) -> Iterator[tuple[str, str, str, str]]:
    """Yields record key, action, field and reason of invalid and held rows."""
    for row in plan.rows:
        if row.action in {"invalid", "held"}:
            yield row.record_key, row.action, row.reason_param or "", row.reason or ""


def warning_rows(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yields record key and text of every warning."""
    for row in plan.rows:
        for warning in row.warnings:
            yield row.record_key, warning


def _request(plan: Plan, row: PlannedRow, batch: Sequence[PlannedRow], host: str) -> str:
    lines = [f"{row.method} {host}{row.path}", f"Authorization: Basic {HIDDEN}"]
    if row.reads_first:
        lines.insert(0, f"GET {host}{row.path}")
    lines += [f"{name}: {HIDDEN}" for name in plan.settings.headers]
    if row.body is None:
        return "\n".join(lines)
    bodies = [without_tokens(plan.operation, each.body or {}) for each in batch or [row]]
    content = encode_body(bodies if batch else bodies[0])
    return "\n".join([*lines, "", msgspec.json.format(content.decode(), indent=2)])


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else encode_body(value).decode()
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
