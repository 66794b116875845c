"""The operation of a write-back: of the catalog, or a custom one as its settings describe it."""

from dataclasses import replace

from invoiced_pipeline.catalog import table
from invoiced_pipeline.catalog.operations import Field, Operation, operation, path_parameters
from invoiced_pipeline.invoiced.http.writer import TAKES_KEY
from invoiced_pipeline.settings import WritebackSettings


def operation_of(settings: WritebackSettings) -> Operation:
    """What the write-back does with every row."""
    found = operation(settings.operation)
    if found.kind != "custom" or settings.path is None:
        return found
    method = settings.method or "POST"
    return replace(
        found,
        title=f"{method} {settings.path}",
        method=method,
        path=settings.path,
        parameters=tuple(
            Field(name=name, type="any", description="Part of the path.", required=True)
            for name in path_parameters(settings.path)
        ),
        takes_idempotency_key=method in TAKES_KEY,
        answers_with_record=method != "DELETE",
    )


def batch_size(settings: WritebackSettings, operation: Operation) -> int:
    """How many rows go in one request.

    One, whose body is the plain object, but for custom operations: those send arrays of 100, unless
    the settings say otherwise or the path names a record.
    """
    if operation.kind != "custom":
        return 1
    if isinstance(settings.group_by, int):
        return settings.group_by
    if settings.batch_size is not None:
        return settings.batch_size
    return 1 if operation.parameters and settings.group_by is None else 100


def included_params(operation: Operation) -> tuple[tuple[str, str], ...]:
    """What shows a record whole, as the replica has it, e.g. a payment with its splits."""
    if operation.table is None:
        return ()
    return tuple(each for each in table(operation.table).list_params if each[0] == "include")
