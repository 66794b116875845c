"""Maps the rows of a source to the parameters and bodies of requests."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from invoiced_pipeline.catalog.operations import Field, Operation
from invoiced_pipeline.settings import (
    ColumnSettings,
    ConstantSettings,
    ExpressionSettings,
    ReferenceSettings,
    WritebackSettings,
)
from invoiced_pipeline.warehouse.database import Selection
from invoiced_pipeline.writeback.ledger.ledger import Entry
from invoiced_pipeline.writeback.source.decimal_notation import is_mixed, numeric_texts
from invoiced_pipeline.writeback.source.instants import with_format
from invoiced_pipeline.writeback.source.json_limits import json_problem
from invoiced_pipeline.writeback.source.mapped_fields import MappedField, mapped_fields
from invoiced_pipeline.writeback.source.problem import Problem
from invoiced_pipeline.writeback.source.quoted_values import quoted
from invoiced_pipeline.writeback.source.record_keys import key_text, ledger_key
from invoiced_pipeline.writeback.source.references import Parent, ReferencedWriteback, resolve
from invoiced_pipeline.writeback.source.row_warnings import key_warning, value_warnings
from invoiced_pipeline.writeback.source.source_reader import expression_column
from invoiced_pipeline.writeback.source.values import FAILURES, Unreadable, cell, decoded, fitted

Cells = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedRow:
    """A row of the source as parameters and body of a request, before validation.

    Attributes:
        position: Place in the source, from 0.
        record_key: The trimmed text of the key column; empty if there is none.
        source_key: The same text as the source has it.
        parameters: Of the path, by name.
        body: The JSON object. A reference to a record that does not exist yet stays a text.
        waits_for: The records that do not exist yet, each with the reason.
        group: The value of the column of `group_by`.
        parts: Paths inside fields of which the row does not set the whole, such as
            `("metadata", "crm")`. An update keeps the rest of the field.
        problem: Why the row cannot be sent, if a value could not be read. A value that JSON
            cannot hold is then missing from parameters and body.
        warnings: What a person should check.
        numbers: Texts in numeric fields, each as column and text. The column is a path without
            positions: the elements of an array share it.
    """

    position: int
    record_key: str
    source_key: str
    parameters: Mapping[str, Any]
    body: Mapping[str, Any]
    waits_for: Mapping[Parent, str] = field(default_factory=dict)
    group: Any = None
    parts: tuple[tuple[str, ...], ...] = ()
    problem: Problem | None = None
    warnings: tuple[str, ...] = ()
    numbers: tuple[tuple[str, str], ...] = ()


def map_rows(
    settings: WritebackSettings,
    operation: Operation,
    selection: Selection,
    referenced: Mapping[str, ReferencedWriteback],
    known: Mapping[str, Entry] | None = None,
) -> Iterator[MappedRow]:
    """Yields the rows of the source in their order.

    Args:
        settings: The write-back.
        operation: Its operation.
        selection: The source's rows.
        referenced: The write-backs that the mapping refers to, by name.
        known: The write-back's rows in the ledger, by record key.

    Raises:
        ConfigurationError: The mapping gives a date format to a field that is not a date.
    """
    fields = mapped_fields(settings, operation, selection.columns, referenced)
    mapper = _RowMapper(settings, operation, fields, referenced, known or {})
    rows = [mapper.row(position, cells) for position, cells in enumerate(_cells(selection))]
    texts: dict[str, set[str]] = {}
    for row in rows:
        for column, text in row.numbers:
            texts.setdefault(column, set()).add(text)
    mixed = {column for column, found in texts.items() if is_mixed(found, settings.decimal)}
    for row in rows:
        yield _without_mixed_notations(settings, row, mixed)


def _cells(selection: Selection) -> Iterator[Cells]:
    for row in selection.rows:
        yield {
            name: cell(value, is_json=name in selection.json_columns)
            for name, value in zip(selection.columns, row, strict=True)
        }


def _without_mixed_notations(
    settings: WritebackSettings, row: MappedRow, mixed: Collection[str]
) -> MappedRow:
    """Adds a problem to a row with a number of a column with both decimal notations."""
    found = next(((column, text) for column, text in row.numbers if column in mixed), None)
    if found is None or row.problem is not None:
        return row
    column, text = found
    name = column.partition(".")[0]
    other = "," if settings.decimal == "." else "."
    problem = Problem(
        f"{column} is {quoted(text)}, and its column has both numbers with a decimal point "
        "and numbers with a decimal comma, so 1.500 could be 1500 or one and a half. No row with a "
        f'value in that column is sent. If its numbers are written with "{other}", set '
        f'decimal = "{other}"; else correct the source',
        name,
    )
    # The text that the reason repeats goes into the body: redaction finds it there by its field.
    return replace(row, body={**row.body, name: text}, problem=problem)


@dataclass(slots=True)
class _Draft:
    """The values of a row before they are converted to the types of their fields."""

    parameters: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    paths: list[tuple[str, ...]] = field(default_factory=list)
    numbers: list[tuple[str, str]] = field(default_factory=list)
    waits_for: dict[Parent, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    @property
    def parts(self) -> tuple[tuple[str, ...], ...]:
        """The paths inside fields of which the row does not set the whole."""
        return tuple(path for path in self.paths if len(path) > 1 and path[:1] not in self.paths)


class _RowMapper:
    """Maps the rows of one source; a row that fails has a `problem`, and the others go on."""

    def __init__(
        self,
        settings: WritebackSettings,
        operation: Operation,
        fields: Sequence[MappedField],
        referenced: Mapping[str, ReferencedWriteback],
        known: Mapping[str, Entry],
    ) -> None:
        self._settings = settings
        self._fields = fields
        self._referenced = referenced
        self._known = known
        self._parameters = {each.name: each for each in operation.parameters}
        self._body_fields = {each.name: each for each in operation.fields}
        self._keeps_null = settings.clear_nulls and operation.method == "PATCH"

    def row(self, position: int, cells: Cells) -> MappedRow:
        """The row at a position of the source."""
        draft = _Draft()
        key = self._record_key(cells[self._settings.key], draft)
        for each in self._fields:
            self._add(draft, each, cells)
        parameters = self._fitted(self._parameters, draft.parameters, draft)
        body = self._fitted(self._body_fields, draft.body, draft)
        about_key = key_warning(self._settings.key, key)
        group_by = self._settings.group_by
        return MappedRow(
            position=position,
            record_key=ledger_key(key, self._known),
            source_key=key,
            parameters=parameters,
            body=body,
            waits_for=draft.waits_for,
            group=cells.get(group_by) if isinstance(group_by, str) else None,
            parts=draft.parts,
            problem=next(iter(draft.problems), None),
            warnings=(
                *value_warnings(self._parameters.values(), parameters),
                *value_warnings(self._body_fields.values(), body),
                *([about_key] if about_key else []),
            ),
            numbers=tuple(draft.numbers),
        )

    def _record_key(self, value: Any, draft: _Draft) -> str:
        problem = json_problem(value, f"the key column {self._settings.key}")
        if problem is not None:
            draft.problems.append(Problem(problem.reason))
            return ""
        return "" if value is None else key_text(value)

    def _add(self, draft: _Draft, mapped: MappedField, cells: Cells) -> None:
        """Adds the value of one field as the source has it."""
        value = self._value(mapped, cells, draft)
        is_from_source = not isinstance(mapped.source, ConstantSettings | ReferenceSettings)
        if mapped.declared is not None and is_from_source:
            value = decoded(value, mapped.declared)
            if not isinstance(value, Unreadable):
                found = numeric_texts(value, mapped.declared)
                draft.numbers += ((f"{mapped.name}{inside}", text) for inside, text in found)
        if mapped.is_parameter:
            draft.parameters[mapped.name] = value
        elif value is not None or (self._keeps_null and len(mapped.path) == 1):
            _put(draft.body, mapped.path, value)
            draft.paths.append(mapped.path)

    def _value(self, mapped: MappedField, cells: Cells, draft: _Draft) -> Any:
        source = mapped.source
        if isinstance(source, str):
            return cells[source]
        if isinstance(source, ExpressionSettings):
            return cells[expression_column(mapped.name)]
        if isinstance(source, ReferenceSettings):
            return resolve(source, cells, self._referenced, draft.waits_for)
        if isinstance(source, ColumnSettings):
            return _date(mapped, source, cells[source.column], draft)
        # `decimal` is about the source's numbers; the settings' own text has a decimal point.
        return source.value if mapped.declared is None else fitted(source.value, mapped.declared)

    def _fitted(
        self, fields: Mapping[str, Field], values: Mapping[str, Any], draft: _Draft
    ) -> dict[str, Any]:
        """The values in the types of their fields, without those that JSON cannot hold."""
        result: dict[str, Any] = {}
        for name, value in values.items():
            problem = json_problem(value, name)
            if problem is None and name in fields:
                try:
                    result[name] = fitted(value, fields[name], self._settings.decimal)
                    problem = json_problem(result[name], name)
                except FAILURES:
                    problem = Problem(f"{name} has a value that cannot be read", name)
            elif problem is None:
                result[name] = value
            if problem is not None:
                result.pop(name, None)
                draft.problems.append(problem)
        return result


def _date(mapped: MappedField, source: ColumnSettings, value: Any, draft: _Draft) -> Any:
    """Reads a date in the format of its mapping; adds a problem if it has another format."""
    if isinstance(value, Unreadable):
        return value
    try:
        return with_format(value, source.format)
    except FAILURES:
        reason = (
            f"{mapped.name} is {quoted(value)}, which does not have the format "
            f"{source.format!r} of its mapping"
        )
        draft.problems.append(Problem(reason, mapped.path[0]))
        return value


def _put(body: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Sets a value at a path such as `metadata.crm_id` or `applied_to.0.invoice`."""
    node: Any = body
    for step, following in zip(path, [*path[1:], ""], strict=True):
        is_last = following == ""
        fresh: Any = value if is_last else ([] if following.isdecimal() else {})
        if isinstance(node, list):
            index = int(step)
            while len(node) <= index:
                node.append({})
            if is_last or not node[index]:
                node[index] = fresh
            node = node[index]
        else:
            if is_last or not isinstance(node.get(step), dict | list):
                node[step] = fresh
            node = node[step]
