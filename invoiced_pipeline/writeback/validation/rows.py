"""Validates a row before it is sent: what the API would refuse, or silently drop.

The catalog declares the API's rules. The rule on card and bank account numbers is our own.
"""

from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from invoiced_pipeline.catalog.operations import METADATA_KEYS, Field, Operation
from invoiced_pipeline.settings import WritebackSettings
from invoiced_pipeline.writeback.source.allowed_numbers import (
    can_be_allowed,
    field_name,
    key_is_allowed,
    tested_values,
)
from invoiced_pipeline.writeback.source.mapping import MappedRow
from invoiced_pipeline.writeback.source.payment_data import find_payment_data
from invoiced_pipeline.writeback.source.problem import Problem
from invoiced_pipeline.writeback.validation.fields import metadata_problems, value_problems


def payment_data_problem(
    settings: WritebackSettings, operation: Operation, row: MappedRow
) -> Problem | None:
    """Returns the first text that looks like the number of a card or a bank account.

    Searched are the record key, the path and the body; not searched are numbers in fields that the
    catalog declares as numeric, tokens, and the fields of `allow_numbers`.
    """
    allowed = settings.allow_numbers
    parameters = tested_values(operation.parameters, row.parameters, allowed)
    body = tested_values(operation.fields, row.body, allowed)
    key = "" if key_is_allowed(settings) else row.record_key
    for what, name in ((body, None), (parameters, None), ({"record key": key}, settings.key)):
        place = find_payment_data(what)
        if place is not None:
            way_out = _way_out(settings, operation, name or field_name(place))
            return Problem(
                f"{place} holds what looks like the number of a card or a bank account. Such "
                f"numbers are never sent or stored: use a token{way_out}",
                place.partition(".")[0].partition("[")[0],
            )
    return None


def _way_out(settings: WritebackSettings, operation: Operation, name: str) -> str:
    if not can_be_allowed(settings, operation, name):
        return ""
    names = ", ".join(f'"{each}"' for each in [*settings.allow_numbers, name])
    return f". If it is a reference and not a card, allow it: allow_numbers = [{names}]"


def row_problem(
    settings: WritebackSettings, operation: Operation, row: MappedRow
) -> Problem | None:
    """Returns the first problem of a row by itself; None if it has none."""
    return next(_row_problems(settings, operation, row), None)


def _row_problems(
    settings: WritebackSettings, operation: Operation, row: MappedRow
) -> Iterator[Problem]:
    if not row.record_key:
        yield Problem(f"the key column {settings.key} is empty: every row needs a key")
    yield from _nul({**row.parameters, **row.body}, "")
    if operation.kind == "delete" and not settings.allow_deletes:
        yield Problem("documents are deleted or voided only with allow_deletes = true")
    if operation.method == "DELETE" and not settings.allow_deletes:
        yield Problem("records are deleted only with allow_deletes = true")
    waiting = set(map(str, row.waits_for))
    for parameter in operation.parameters:
        value = row.parameters.get(parameter.name)
        if value is None or value == "":
            yield Problem(
                f"{parameter.name} is missing: it is part of the path {operation.path}",
                parameter.name,
            )
        elif value not in waiting:
            yield from value_problems(parameter, value, parameter.name)
    if operation.kind != "custom":
        yield from _unknown(operation, row.body)
        yield from _missing(operation, row.body)
        yield from _values(operation.fields, row.body, "", waiting)
        yield from _metadata(operation, row)
    yield from _sums(operation, row.body)


def _nul(value: Any, place: str) -> Iterator[Problem]:
    """Yields texts with U+0000, which PostgreSQL cannot store in ledger, plan or responses."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            where = f"{place}.{name}" if place else str(name)
            if "\x00" in str(name):
                shown = str(name).replace("\x00", "\\0")
                yield Problem(f"the name {shown} holds the character U+0000: remove it")
            yield from _nul(item, where)
    elif isinstance(value, list | tuple):
        for number, item in enumerate(value):
            yield from _nul(item, f"{place}[{number}]")
    elif isinstance(value, str) and "\x00" in value:
        field = place.partition(".")[0].partition("[")[0]
        yield Problem(f"{place} holds the character U+0000: remove it", field)


def _unknown(operation: Operation, body: Mapping[str, Any]) -> Iterator[Problem]:
    unwanted = dict(operation.unwanted)
    for name in body:
        if name in unwanted:
            yield Problem(f"{operation.name} does not take {name}: {unwanted[name]}", name)
        elif name in operation.blocked:
            yield Problem(
                f"{name} is read-only, and the API refuses a record that has it: exclude it",
                name,
            )
        elif operation.field(name) is None:
            what = "refuses it" if operation.strict else "would silently drop it"
            yield Problem(
                f"{operation.name} has no field {name}; the API {what}. Exclude the column, or "
                "map it to a field or to metadata",
                name,
            )


def _missing(operation: Operation, body: Mapping[str, Any]) -> Iterator[Problem]:
    for field in operation.fields:
        if field.required and body.get(field.name) in (None, ""):
            yield Problem(f"{field.name} is missing: {operation.name} needs it", field.name)
    for group in operation.one_of:
        given = [name for name in group if body.get(name) not in (None, "")]
        if len(given) != 1:
            names = " and ".join(group)
            yield Problem(
                f"exactly one of {names} is required, and the row has {len(given)}", group[0]
            )
    for group in operation.any_of:
        if not any(body.get(name) not in (None, "") for name in group):
            yield Problem(f"{' or '.join(group)} is missing: one of them is required", group[0])


def _values(
    fields: Iterable[Field], values: Mapping[str, Any], place: str, waiting: set[str]
) -> Iterator[Problem]:
    for field in fields:
        if field.name not in values:
            continue
        value = values[field.name]
        where = f"{place}{field.name}"
        if isinstance(value, str) and value in waiting:
            continue
        yield from value_problems(field, value, where)
        if not field.elements:
            continue
        items = value if isinstance(value, list) else [value]
        for number, item in enumerate(items):
            inside = f"{where}[{number}]" if isinstance(value, list) else where
            if isinstance(item, dict):
                yield from _element(field, item, inside, waiting)
            elif field.type == "array":
                yield Problem(f"{inside} must be an object", field.name)


def _element(
    field: Field, item: Mapping[str, Any], place: str, waiting: set[str]
) -> Iterator[Problem]:
    known = {each.name for each in field.elements}
    for name in item:
        if name not in known:
            yield Problem(
                f"{place} has no field {name}. Its fields: {', '.join(sorted(known))}", field.name
            )
    for each in field.elements:
        if each.required and item.get(each.name) in (None, ""):
            yield Problem(f"{place}.{each.name} is missing", field.name)
    yield from _values(field.elements, item, f"{place}.", waiting)


def _metadata(operation: Operation, row: MappedRow) -> Iterator[Problem]:
    metadata = row.body.get("metadata")
    if not isinstance(metadata, Mapping):
        return
    key = operation.natural_key
    is_numbered = key is not None and key.number is not None and bool(row.body.get(key.number))
    is_marked = key is not None and key.marker and not is_numbered
    room = METADATA_KEYS - 1 if is_marked else METADATA_KEYS
    yield from metadata_problems(metadata, "metadata", room=room)


def _sums(operation: Operation, body: Mapping[str, Any]) -> Iterator[Problem]:
    """Yields a problem if a payment applies more than its amount: the API refuses it (observed)."""
    splits, amount = body.get("applied_to"), body.get("amount")
    if operation.name != "record_payment" or not isinstance(splits, list):
        return
    consuming = {"invoice", "estimate", "credit", "convenience_fee"}
    applied = sum(
        split["amount"]
        for split in splits
        if split.get("type") in consuming and isinstance(split.get("amount"), int | Decimal)
    )
    if isinstance(amount, int | Decimal) and applied > amount:
        yield Problem(
            f"applied_to adds up to {applied}, more than the amount of {amount}", "applied_to"
        )
