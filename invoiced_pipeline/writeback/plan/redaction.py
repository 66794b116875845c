"""Redacts a plan for storage: hashed columns as hashes, dropped columns as null."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from invoiced_pipeline.catalog.model import Treatment
from invoiced_pipeline.exact_json import decode_exact
from invoiced_pipeline.invoiced.http.json_body import encode_body
from invoiced_pipeline.selection.privacy import Privacy, replace_secrets
from invoiced_pipeline.writeback.plan.plan import Plan, PlannedRow
from invoiced_pipeline.writeback.source.quoted_values import quoted
from invoiced_pipeline.writeback.validation.diff import Change


def redacted_plan(plan: Plan, privacy: Privacy) -> Plan:
    """Returns the plan to store in the warehouse and to show on the run's page.

    A push sends the original. Record keys and paths stay, because they identify the rows.

    Args:
        plan: The plan.
        privacy: The connection's hashed and dropped columns.
    """
    if privacy.is_idle:
        return plan
    table = plan.operation.table or plan.operation.singular
    return replace(plan, rows=[_redacted_row(row, table, privacy) for row in plan.rows])


def _redacted_row(row: PlannedRow, table: str, privacy: Privacy) -> PlannedRow:
    # The whole row: its private values are also searched for in its other texts.
    after = _redacted({**row.wanted, **(row.body or {})}, table, privacy)
    before = _redacted({change.field: change.before for change in row.changes}, table, privacy)
    return replace(
        row,
        body=None if row.body is None else {name: after[name] for name in row.body},
        changes=tuple(
            Change(change.field, before[change.field], after[change.field])
            for change in row.changes
        ),
        reason=None if row.reason is None else redacted_text(row.reason, row, table, privacy),
        warnings=tuple(_redacted_warning(each, row, table, privacy) for each in row.warnings),
        wanted={},
    )


def _redacted_warning(text: str, row: PlannedRow, table: str, privacy: Privacy) -> str:
    """A warning, without its value if the field or one around it is hashed or dropped."""
    place = text.partition(": ")[0]
    rules = privacy.rules(table)
    for name in re.split(r"[.\[]", place):
        how = rules.personal.get(name) or rules.hidden.get(name)
        if how is not None:
            return f"{place}: check this value, which is {how} here"
    return redacted_text(text, row, table, privacy)


def _redacted(fields: Mapping[str, Any], table: str, privacy: Privacy) -> dict[str, Any]:
    return decode_exact(privacy.redact(table, encode_body(fields)))


def redacted_text(text: str, row: PlannedRow, table: str, privacy: Privacy) -> str:
    """Removes values that must not be stored from a text about a row.

    Args:
        text: Our own reason, which may repeat a short value or a part of a long one, or a message
            of the API.
        row: The planned row.
        table: The table of its record, or the record's name if there is no table.
        privacy: The connection's hashed and dropped columns.
    """
    if privacy.is_idle:
        return text
    rules = privacy.rules(table)
    names: dict[str, Treatment] = {**rules.personal, **rules.hidden}
    for value, how in _values(row.wanted, names):
        text = text.replace(quoted(value), f"[{how}]")
    return replace_secrets(text, privacy.secrets(rules, row.wanted))


def _values(
    value: Any, names: Mapping[str, Treatment], how: Treatment | None = None
) -> Iterator[tuple[Any, Treatment]]:
    """Yields the scalar values under some names, at any depth, with their treatment."""
    if isinstance(value, Mapping):
        for name, each in value.items():
            yield from _values(each, names, names.get(str(name)) or how)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _values(each, names, how)
    elif how is not None and value is not None:
        yield value, how
