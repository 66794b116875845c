"""The fields of a request and the source of each: the mapping, and the columns it leaves over."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from invoiced_pipeline.catalog.operations import Field, Operation
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import ColumnSettings, WritebackSettings
from invoiced_pipeline.settings.mapping import FieldSource
from invoiced_pipeline.writeback.source.references import ReferencedWriteback
from invoiced_pipeline.writeback.source.source_reader import expression_column


@dataclass(frozen=True, slots=True)
class MappedField:
    """One field of the body, one part of a field, or one parameter of the path.

    Attributes:
        name: As in the mapping, such as `name`, `metadata.crm_id` or `applied_to.0.invoice`.
        source: Where its value comes from.
        declared: Its declaration in the catalog; None if the catalog has none.
        is_parameter: Whether it is part of the path.
    """

    name: str
    source: FieldSource
    declared: Field | None
    is_parameter: bool

    @property
    def path(self) -> tuple[str, ...]:
        """The steps of its name: `("metadata", "crm_id")`."""
        return tuple(self.name.split("."))


def mapped_fields(
    settings: WritebackSettings,
    operation: Operation,
    columns: Sequence[str],
    referenced: Mapping[str, ReferencedWriteback],
) -> list[MappedField]:
    """All fields that a source's rows set.

    Args:
        settings: The write-back.
        operation: Its operation.
        columns: The source's columns.
        referenced: The write-backs that the mapping refers to, by name.

    Raises:
        ConfigurationError: The mapping gives a date format to a field that is not a date.
    """
    parameters = {each.name for each in operation.parameters}
    declared = {each.name: each for each in (*operation.parameters, *operation.fields)}
    found = [
        MappedField(name, source, _declared(declared, name), name in parameters)
        for name, source in _sources(settings, columns, referenced).items()
    ]
    for each in found:
        _check_format(settings, each)
    return found


def _sources(
    settings: WritebackSettings,
    columns: Sequence[str],
    referenced: Mapping[str, ReferencedWriteback],
) -> dict[str, FieldSource]:
    used = {value for value in settings.mapping.values() if isinstance(value, str)}
    used |= {
        value.column for value in settings.mapping.values() if isinstance(value, ColumnSettings)
    }
    for reference in settings.references.values():
        used.add(reference.column or referenced[reference.writeback].key)
    left_out = {*used, *settings.exclude, *settings.mapping}
    own = {
        name: name
        for name in columns
        if name not in left_out and not name.startswith(expression_column(""))
    }
    return {**own, **settings.mapping}


def _declared(fields: Mapping[str, Field], name: str) -> Field | None:
    """The declaration at the end of a path; None if the catalog has none."""
    first, *rest = name.split(".")
    found = fields.get(first)
    for step in rest:
        if found is not None and not step.isdecimal():
            found = next((each for each in found.elements if each.name == step), None)
    return found


def _check_format(settings: WritebackSettings, field: MappedField) -> None:
    declared = field.declared
    if (
        isinstance(field.source, ColumnSettings)
        and declared is not None
        and declared.type not in {"timestamp", "any"}
    ):
        message = (
            f"Write-back {settings.name!r}: mapping.{field.name} has a date format, and "
            f"{field.name} is not a date. Map the column by its name alone"
        )
        raise ConfigurationError(message)
