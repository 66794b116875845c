"""The operation of a write-back: from the catalog, or a custom one from the settings."""

from dataclasses import replace

from invoiced_pipeline.catalog import table
from invoiced_pipeline.catalog.operations import Field, Operation, operation, path_parameters
from invoiced_pipeline.invoiced.http.writer import TAKES_KEY
from invoiced_pipeline.settings import WritebackSettings


def operation_of(settings: WritebackSettings) -> Operation:
    """The operation, with method and path of the settings if it is a custom one."""
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
    """The number of rows in one request.

    Operations of the catalog send one row as a plain object. Custom operations send arrays of 100
    rows, unless the settings give another number or the path has parameters.
    """
    if operation.kind != "custom":
        return 1
    if isinstance(settings.group_by, int):
        return settings.group_by
    if settings.batch_size is not None:
        return settings.batch_size
    return 1 if operation.parameters and settings.group_by is None else 100


def included_params(operation: Operation) -> tuple[tuple[str, str], ...]:
    """The `include` parameters that make the API show a record as the replica has it.

    A payment, for example, is then shown with its splits.
    """
    if operation.table is None:
        return ()
    return tuple(each for each in table(operation.table).list_params if each[0] == "include")
