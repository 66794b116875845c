"""The plan of one row, optionally edited: to try out how the API responds."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from invoiced_pipeline.exact_json import decode_exact
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import ConstantSettings
from invoiced_pipeline.warehouse.database import Database, Selection
from invoiced_pipeline.writeback.plan.plan import Plan
from invoiced_pipeline.writeback.plan.planner import PlanRequest, plan_rows
from invoiced_pipeline.writeback.source.json_limits import json_problem
from invoiced_pipeline.writeback.source.operation import operation_of
from invoiced_pipeline.writeback.source.record_keys import key_text
from invoiced_pipeline.writeback.source.source_reader import read_source
from invoiced_pipeline.writeback.source.values import cell


@dataclass(frozen=True, slots=True, kw_only=True)
class SingleRow:
    """The row to send, and its edits.

    Attributes:
        record_key: Its key.
        edits: Values that replace the row's, by field of the body or column of the source. Valid
            JSON is decoded (`12.50`, `true`, `null`, `[...]`); anything else is text.
    """

    record_key: str
    edits: Mapping[str, str] = field(default_factory=dict)


def plan_single(request: PlanRequest, single: SingleRow, database: Database) -> Plan:
    """Plans one row of the source.

    Raises:
        ConfigurationError: The source has no such row, or an edit names neither field nor column.
        WarehouseError: The warehouse cannot be read.
    """
    settings = request.settings
    found = read_source(settings, database, request.dataset, request.folder)
    selection = _only(found, settings.key, single.record_key)
    if selection is None:
        key = single.record_key
        message = f"Write-back {settings.name!r}: its source has no row with the key {key!r}"
        raise ConfigurationError(message)
    operation = operation_of(settings)
    fields = {each.name for each in (*operation.parameters, *operation.fields)}
    mapping = dict(settings.mapping)
    for name, text in single.edits.items():
        value = _value(text)
        if name.partition(".")[0] in fields or operation.kind == "custom":
            mapping[name] = ConstantSettings.model_construct(value=value)
        elif name in found.columns:
            selection = _with_cell(selection, name, value)
        else:
            known = ", ".join(sorted(fields | set(found.columns)))
            message = (
                f"--set {name}: not a field of {operation.name} and not a column of the source. "
                f"Possible names: {known}"
            )
            raise ConfigurationError(message)
    edited = settings.model_copy(update={"mapping": mapping})
    return plan_rows(replace(request, settings=edited), selection, database)


def _key(selection: Selection, position: int, place: int) -> str:
    """The key of a row as the source has it; empty if the row has no usable key."""
    if position in selection.record_keys:
        return selection.record_keys[position]
    is_json = selection.columns[place] in selection.json_columns
    value = cell(selection.rows[position][place], is_json=is_json)
    return "" if json_problem(value, "key") is not None else key_text(value)


def _only(found: Selection, column: str, record_key: str) -> Selection | None:
    """The row with a record key, compared by trimmed text; the last one if there are several."""
    place = found.columns.index(column)
    texts = [_key(found, at, place) for at in range(len(found.rows))]
    same = [at for at, text in enumerate(texts) if text and text.strip() == record_key.strip()]
    exact = [at for at in same if texts[at] == record_key] or [
        at for at in same if texts[at] == texts[same[0]]
    ]
    if not exact:
        return None
    at = exact[-1]
    return replace(
        found,
        rows=[found.rows[at]],
        problems={0: found.problems[at]} if at in found.problems else {},
        record_keys={0: found.record_keys[at]} if at in found.record_keys else {},
        skipped=0,
    )


def _value(text: str) -> Any:
    try:
        return decode_exact(text)
    except (msgspec.DecodeError, RecursionError):
        return text


def _with_cell(selection: Selection, column: str, value: Any) -> Selection:
    place = selection.columns.index(column)
    (row,) = selection.rows
    return replace(selection, rows=[(*row[:place], value, *row[place + 1 :])])
