"""From a row of the source to the parameters and the body of a request."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from invoiced_pipeline.catalog.operations import Field, Operation
from invoiced_pipeline.settings import (
    ConstantSettings,
    ExpressionSettings,
    ReferenceSettings,
    WritebackSettings,
)
from invoiced_pipeline.settings.mapping import Mapped
from invoiced_pipeline.warehouse.database import Selection
from invoiced_pipeline.writeback.plan import Known, Parent
from invoiced_pipeline.writeback.source import expression_column
from invoiced_pipeline.writeback.values import fitted, plain

Cells = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Another write-back that rows refer to.

    Attributes:
        key: Its key column.
        known: What the ledger holds of it, by record key.
    """

    key: str
    known: Mapping[str, Known]


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedRow:
    """A row in the API's terms, not looked at yet.

    Attributes:
        position: Place in the source, from 0.
        record_key: The key's value as text; empty where it is NULL.
        parameters: Of the path, by name.
        body: The JSON object. Where a record is not there yet, its place holds the reference.
        waits_for: Records that are not there yet, each with what keeps it.
        group: Value of the column of `group_by`.
        parts: Paths in the body that the row sets by themselves, such as `("metadata", "crm")`: an
            update keeps what is beside them.
    """

    position: int
    record_key: str
    parameters: Mapping[str, Any]
    body: Mapping[str, Any]
    waits_for: Mapping[Parent, str] = field(default_factory=dict)
    group: Any = None
    parts: tuple[tuple[str, ...], ...] = ()


def map_rows(
    settings: WritebackSettings,
    operation: Operation,
    selection: Selection,
    families: Mapping[str, Family],
) -> Iterator[MappedRow]:
    """The rows of the source in their order.

    Args:
        settings: The write-back.
        operation: What it does.
        selection: The source's rows.
        families: The write-backs that it refers to, by name.
    """
    targets = _targets(settings, selection.columns, families)
    places = {each.name: each for each in (*operation.parameters, *operation.fields)}
    for position, row in enumerate(selection.rows):
        cells = {
            name: plain(value, is_json=name in selection.json_columns)
            for name, value in zip(selection.columns, row, strict=True)
        }
        yield _map_row(settings, operation, position, cells, (targets, places, families))


def _targets(
    settings: WritebackSettings, columns: Sequence[str], families: Mapping[str, Family]
) -> dict[str, Mapped]:
    """Where every field comes from: the mapping, and all columns that it leaves over."""
    used = {value for value in settings.mapping.values() if isinstance(value, str)}
    for reference in settings.references.values():
        used.add(reference.column or families[reference.writeback].key)
    left_out = {*used, *settings.exclude, *settings.mapping}
    own = {
        name: name
        for name in columns
        if name not in left_out and not name.startswith(expression_column(""))
    }
    return {**own, **settings.mapping}


def _map_row(
    settings: WritebackSettings,
    operation: Operation,
    position: int,
    cells: Cells,
    how: tuple[Mapping[str, Mapped], Mapping[str, Field], Mapping[str, Family]],
) -> MappedRow:
    targets, places, families = how
    keeps_null = settings.clear_nulls and operation.method == "PATCH"
    names = {parameter.name for parameter in operation.parameters}
    parameters: dict[str, Any] = {}
    body: dict[str, Any] = {}
    waits_for: dict[Parent, str] = {}
    paths: list[tuple[str, ...]] = []
    for target, source in targets.items():
        value = _value(target, source, cells, _resolver(families, waits_for))
        first, *rest = target.split(".")
        if first in names and not rest:
            parameters[first] = fitted(value, places[first])
        elif value is not None or (keeps_null and not rest):
            _put(body, [first, *rest], value)
            paths.append((first, *rest))
    key = cells[settings.key]
    return MappedRow(
        position=position,
        record_key="" if key is None else _key_text(key),
        parameters=parameters,
        body={
            name: fitted(value, places[name]) if name in places else value
            for name, value in body.items()
        },
        waits_for=waits_for,
        group=cells.get(settings.group_by) if isinstance(settings.group_by, str) else None,
        parts=tuple(path for path in paths if len(path) > 1 and path[:1] not in paths),
    )


def _value(
    target: str, source: Mapped, cells: Cells, resolve: Callable[[ReferenceSettings, Cells], Any]
) -> Any:
    if isinstance(source, str):
        return cells[source]
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
        if value is None:
            return None
        parent = Parent(reference.writeback, _key_text(value), reference.field)
        known = family.known.get(parent.record_key)
        if known is not None and known.invoiced_id is not None and known.succeeded_hash is not None:
            found = _of_record(known, reference.field)
            if found is not None:
                return found
        waits_for[parent] = _why(parent, known)
        return str(parent)

    return resolve


def _of_record(known: Known, name: str) -> Any:
    if name != "id":
        return known.record.get(name)
    text = known.invoiced_id or ""
    return int(text) if text.isdecimal() else text


def _why(parent: Parent, known: Known | None) -> str:
    who = f"{parent.writeback} {parent.record_key!r}"
    if known is None:
        return f"{who} has not been sent yet"
    if known.succeeded_hash is not None:
        return f"the record of {who} shows no {parent.field}"
    return f"{who} is {known.state}"


def _key_text(value: Any) -> str:
    return str(fitted(value, Field(name="key", type="text", description="The record key.")))


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
