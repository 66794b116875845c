"""The write operations as data, against themselves and the settings."""

from typing import get_args

import pytest

from invoiced_pipeline.catalog import TABLE_NAMES
from invoiced_pipeline.catalog.operations import (
    OPERATION_NAMES,
    OPERATIONS,
    Field,
    Operation,
    operation,
    path_parameters,
)
from invoiced_pipeline.settings.writeback import OperationName

each_operation = pytest.mark.parametrize("entry", OPERATIONS, ids=OPERATION_NAMES)


def _all_fields(fields: tuple[Field, ...]) -> list[Field]:
    return [*fields, *(inner for each in fields for inner in _all_fields(each.elements))]


def test_names_are_those_of_the_settings() -> None:
    assert get_args(OperationName) == OPERATION_NAMES
    with pytest.raises(KeyError):
        operation("create_customers")


@each_operation
def test_every_field_has_one_name_and_a_description(entry: Operation) -> None:
    names = [field.name for field in entry.fields]
    assert len(names) == len(set(names))
    for field in _all_fields((*entry.parameters, *entry.fields)):
        assert field.description.endswith(".")
        assert field.refers_to is None or field.refers_to in TABLE_NAMES
        assert bool(field.choices) == (field.type == "choice")


@each_operation
def test_what_is_refused_is_not_offered(entry: Operation) -> None:
    offered = {field.name for field in entry.fields}
    assert not offered & entry.blocked
    assert not offered & {name for name, _ in entry.unwanted}
    for group in (*entry.one_of, *entry.any_of):
        assert offered >= set(group)


@each_operation
def test_path_parameters_are_declared(entry: Operation) -> None:
    assert path_parameters(entry.path) == tuple(field.name for field in entry.parameters)
    assert entry.table is None or entry.table in TABLE_NAMES


@each_operation
def test_created_records_can_be_looked_up(entry: Operation) -> None:
    assert (entry.natural_key is not None) == (entry.kind == "create")
    if entry.natural_key is None:
        return
    key = entry.natural_key
    assert key.marker or key.compare
    assert not key.marker or entry.field("metadata") is not None
    assert key.number is None or entry.field(key.number) is not None
    assert all(entry.field(name) is not None for name, _ in key.compare)
    assert set(path_parameters(key.list_path)) <= set(path_parameters(entry.path))


@each_operation
def test_only_post_and_patch_take_an_idempotency_key(entry: Operation) -> None:
    assert entry.takes_idempotency_key == (entry.method in {"POST", "PATCH"})
