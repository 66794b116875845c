"""From a row of the source to the parameters and the body of a request."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from invoiced_pipeline.catalog.operations import Field, Operation
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import (
    ColumnSettings,
    ConstantSettings,
    ExpressionSettings,
    ReferenceSettings,
    WritebackSettings,
)
from invoiced_pipeline.settings.mapping import Mapped
from invoiced_pipeline.warehouse.database import Selection
from invoiced_pipeline.writeback.ledger.ledger import Entry
from invoiced_pipeline.writeback.source.decimal_notation import is_mixed, numeric_texts
from invoiced_pipeline.writeback.source.instants import with_format
from invoiced_pipeline.writeback.source.json_limits import json_problem
from invoiced_pipeline.writeback.source.problem import Problem
from invoiced_pipeline.writeback.source.quoting import quoted
from invoiced_pipeline.writeback.source.reading import expression_column
from invoiced_pipeline.writeback.source.record_keys import key_text, ledger_key
from invoiced_pipeline.writeback.source.row_warnings import key_warning, value_warnings
from invoiced_pipeline.writeback.source.values import FAILURES, Unreadable, cell, decoded, fitted

Cells = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parent:
    """A record of another write-back that a row refers to."""

    writeback: str
    record_key: str
    field: str

    def __str__(self) -> str:
        """How a body shows it while the record is not there: `@new_customers[C-1].id`."""
        return f"@{self.writeback}[{self.record_key}].{self.field}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Another write-back that rows refer to.

    Attributes:
        key: Its key column.
        known: What the ledger holds of it, by record key.
        records: Its records as the API last returned them, by record key, for references to other
            fields than `id`.
    """

    key: str
    known: Mapping[str, Entry]
    records: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedRow:
    """A row in the API's terms, not looked at yet.

    Attributes:
        position: Place in the source, from 0.
        record_key: The key's value as text, trimmed; empty where there is none.
        source_key: The same as the source has it.
        parameters: Of the path, by name.
        body: The JSON object. Where a record is not there yet, its place holds the reference.
        waits_for: Records that are not there yet, each with what keeps it.
        group: Value of the column of `group_by`.
        parts: Paths in the body that the row sets by themselves, such as `("metadata", "crm")`: an
            update keeps what is beside them.
        problem: Why it cannot be sent, where a value could not be read. Parameters and body then
            lack that value if JSON has no form for it.
        warnings: What a person should look at.
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


def map_rows(
    settings: WritebackSettings,
    operation: Operation,
    selection: Selection,
    families: Mapping[str, Family],
    known: Mapping[str, Entry] | None = None,
) -> Iterator[MappedRow]:
    """The rows of the source in their order.

    Args:
        settings: The write-back.
        operation: What it does.
        selection: The source's rows.
        families: The write-backs that it refers to, by name.
        known: What the ledger holds of the write-back, by record key.
    """
    mapper = _RowMapper(settings, operation, selection, families, known or {})
    texts: dict[tuple[str, str], set[str]] = {}
    rows = [mapper.row(position) for position in range(len(selection.rows))]
    for row in rows:
        for column, text in row.numbers:
            texts.setdefault(column, set()).add(text)
    mixed = {column for column, found in texts.items() if is_mixed(found, settings.decimal)}
    for row in rows:
        yield _without_mixed(settings, row, mixed)


@dataclass(frozen=True, slots=True)
class _Row:
    """A row, and its texts that stand where numbers belong, by field and path inside of it."""

    mapped: MappedRow
    numbers: tuple[tuple[tuple[str, str], str], ...] = ()


def _without_mixed(
    settings: WritebackSettings, row: _Row, mixed: Iterable[tuple[str, str]]
) -> MappedRow:
    """The row; with a problem where it has a number of a column with both notations."""
    mapped = row.mapped
    found = next(((column, text) for column, text in row.numbers if column in mixed), None)
    if found is None or mapped.problem is not None:
        return mapped
    (target, path), text = found
    name = target.partition(".")[0]
    other = "," if settings.decimal == "." else "."
    problem = Problem(
        f"{target}{path} is {quoted(text)}, and its column has both numbers with a decimal point "
        "and numbers with a decimal comma, so 1.500 could be 1500 or one and a half. No row with a "
        f'value in that column is sent. If its numbers are written with "{other}", set '
        f'decimal = "{other}"; else correct the source',
        name,
    )
    # The body shows what the reason repeats, so that it is hidden where the field is private.
    return replace(mapped, body={**mapped.body, name: text}, problem=problem)


def _targets(
    settings: WritebackSettings, columns: Sequence[str], families: Mapping[str, Family]
) -> dict[str, Mapped]:
    """Where every field comes from: the mapping, and all columns that it leaves over."""
    used = {value for value in settings.mapping.values() if isinstance(value, str)}
    used |= {
        value.column for value in settings.mapping.values() if isinstance(value, ColumnSettings)
    }
    for reference in settings.references.values():
        used.add(reference.column or families[reference.writeback].key)
    left_out = {*used, *settings.exclude, *settings.mapping}
    own = {
        name: name
        for name in columns
        if name not in left_out and not name.startswith(expression_column(""))
    }
    return {**own, **settings.mapping}


@dataclass(slots=True)
class _RawRow:
    """Values of a row before they are fitted to the types of their fields.

    Attributes:
        numbers: The texts that stand where numbers belong, by field and path inside of it.
        paths: The places in the body that the row sets.
    """

    parameters: dict[str, Any] = field(default_factory=dict)
    body: dict[str, Any] = field(default_factory=dict)
    numbers: list[tuple[tuple[str, str], str]] = field(default_factory=list)
    paths: list[tuple[str, ...]] = field(default_factory=list)

    @property
    def parts(self) -> tuple[tuple[str, ...], ...]:
        """The places inside of fields of which the row does not set the whole."""
        return tuple(path for path in self.paths if len(path) > 1 and path[:1] not in self.paths)


class _RowMapper:
    """Maps the rows of one source; a row that fails has a `problem`, and the others go on."""

    def __init__(
        self,
        settings: WritebackSettings,
        operation: Operation,
        selection: Selection,
        families: Mapping[str, Family],
        known: Mapping[str, Entry],
    ) -> None:
        self._known = known
        self._settings = settings
        self._selection = selection
        self._families = families
        self._parameters = {each.name: each for each in operation.parameters}
        self._fields = {each.name: each for each in operation.fields}
        self._targets = _targets(settings, selection.columns, families)
        self._leaves = {target: self._leaf(target) for target in self._targets}
        self._keeps_null = settings.clear_nulls and operation.method == "PATCH"
        for target, source in self._targets.items():
            self._check_format(target, source)

    def row(self, position: int) -> _Row:
        """The row at a position of the source."""
        values = zip(self._selection.columns, self._selection.rows[position], strict=True)
        cells = {
            name: cell(value, is_json=name in self._selection.json_columns)
            for name, value in values
        }
        return self._mapped(position, cells)

    def _mapped(self, position: int, cells: Cells) -> _Row:
        problems: list[Problem] = []
        waits_for: dict[Parent, str] = {}
        key = self._record_key(cells[self._settings.key], problems)
        raw = self._raw(cells, waits_for, problems)
        parameters = self._fitted(self._parameters, raw.parameters, problems)
        body = self._fitted(self._fields, raw.body, problems)
        warnings = [
            *value_warnings(self._parameters.values(), parameters),
            *value_warnings(self._fields.values(), body),
        ]
        about_key = key_warning(self._settings.key, key)
        group_by = self._settings.group_by
        mapped = MappedRow(
            position=position,
            record_key=ledger_key(key, self._known),
            source_key=key,
            parameters=parameters,
            body=body,
            waits_for=waits_for,
            group=cells.get(group_by) if isinstance(group_by, str) else None,
            parts=raw.parts,
            problem=next(iter(problems), None),
            warnings=(*warnings, *([about_key] if about_key else [])),
        )
        return _Row(mapped, tuple(raw.numbers))

    def _record_key(self, value: Any, problems: list[Problem]) -> str:
        problem = json_problem(value, f"the key column {self._settings.key}")
        if problem is not None:
            problems.append(Problem(problem.reason))
            return ""
        return "" if value is None else key_text(value)

    def _raw(self, cells: Cells, waits_for: dict[Parent, str], problems: list[Problem]) -> _RawRow:
        """Parameters and body as the source has them."""
        resolve = _resolver(self._families, waits_for)
        raw = _RawRow()
        for target, source in self._targets.items():
            value = self._target_value(target, source, cells, resolve, problems)
            first, *rest = target.split(".")
            leaf = self._leaves[target]
            if leaf is not None and not isinstance(source, ConstantSettings | ReferenceSettings):
                value = decoded(value, leaf)
                found = () if isinstance(value, Unreadable) else numeric_texts(value, leaf)
                raw.numbers += (((target, path), text) for path, text in found)
            if first in self._parameters and not rest:
                raw.parameters[first] = value
            elif value is not None or (self._keeps_null and not rest):
                _put(raw.body, [first, *rest], value)
                raw.paths.append((first, *rest))
        return raw

    def _target_value(
        self,
        target: str,
        source: Mapped,
        cells: Cells,
        resolve: Callable[[ReferenceSettings, Cells], Any],
        problems: list[Problem],
    ) -> Any:
        value = _value(target, source, cells, resolve)
        leaf = self._leaves[target]
        if isinstance(source, ConstantSettings) and leaf is not None:
            # The settings' own text, whatever the source's numbers look like.
            return fitted(value, leaf)
        if not isinstance(source, ColumnSettings) or isinstance(value, Unreadable):
            return value
        try:
            return with_format(value, source.format)
        except FAILURES:
            problems.append(
                Problem(
                    f"{target} is {quoted(value)}, which does not have the format "
                    f"{source.format!r} of its mapping",
                    target.partition(".")[0],
                )
            )
            return value

    def _fitted(
        self, places: Mapping[str, Field], values: Mapping[str, Any], problems: list[Problem]
    ) -> dict[str, Any]:
        """The values in the types of their fields; those that JSON cannot hold are left out."""
        result: dict[str, Any] = {}
        for name, value in values.items():
            problem = json_problem(value, name)
            if problem is None and name in places:
                try:
                    result[name] = fitted(value, places[name], self._settings.decimal)
                    problem = json_problem(result[name], name)
                except FAILURES:
                    problem = Problem(f"{name} has a value that cannot be read", name)
            elif problem is None:
                result[name] = value
            if problem is not None:
                result.pop(name, None)
                problems.append(problem)
        return result

    def _leaf(self, target: str) -> Field | None:
        """The field at the end of a path; None where the API's fields there are not known."""
        first, *rest = target.split(".")
        found = self._fields.get(first) or self._parameters.get(first)
        for step in rest:
            if found is not None and not step.isdecimal():
                found = next((each for each in found.elements if each.name == step), None)
        return found

    def _check_format(self, target: str, source: Mapped) -> None:
        leaf = self._leaves[target]
        if isinstance(source, ColumnSettings) and leaf and leaf.type not in {"timestamp", "any"}:
            message = (
                f"Write-back {self._settings.name!r}: mapping.{target} has a date format, and "
                f"{target} is no date. Map the column by its name alone"
            )
            raise ConfigurationError(message)


def _value(
    target: str, source: Mapped, cells: Cells, resolve: Callable[[ReferenceSettings, Cells], Any]
) -> Any:
    if isinstance(source, str):
        return cells[source]
    if isinstance(source, ColumnSettings):
        return cells[source.column]
    if isinstance(source, ConstantSettings):
        return source.value
    if isinstance(source, ExpressionSettings):
        return cells[expression_column(target)]
    return resolve(source, cells)


def _resolver(
    families: Mapping[str, Family], waits_for: dict[Parent, str]
) -> Callable[[ReferenceSettings, Cells], Any]:
    """Looks a reference up in the ledger; what is not there yet is noted in `waits_for`."""

    def resolve(reference: ReferenceSettings, cells: Cells) -> Any:
        family = families[reference.writeback]
        value = cells.get(reference.column or family.key)
        if value is None or json_problem(value, reference.writeback) is not None:
            return value
        key = ledger_key(key_text(value), family.known)
        if not key:
            return None
        parent = Parent(reference.writeback, key, reference.field)
        known = family.known.get(parent.record_key)
        if known is not None and known.invoiced_id is not None and known.succeeded_hash is not None:
            found = _of_record(family, known, reference.field)
            if found is not None:
                return found
        waits_for[parent] = _why(parent, known)
        return str(parent)

    return resolve


def _of_record(family: Family, known: Entry, name: str) -> Any:
    if name != "id":
        return family.records.get(known.record_key, {}).get(name)
    text = known.invoiced_id or ""
    return int(text) if text.isdecimal() else text


def _why(parent: Parent, known: Entry | None) -> str:
    who = f"{parent.writeback} {parent.record_key!r}"
    if known is None:
        return f"{who} has not been sent yet"
    if known.succeeded_hash is not None:
        return f"the record of {who} shows no {parent.field}"
    return f"{who} is {known.state}"


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
