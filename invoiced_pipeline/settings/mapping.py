"""The mapping of a `[[writeback]]`: the source of each field of the body."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pydantic import Field

from invoiced_pipeline.settings.base import SettingsModel

REFERENCE_FORMS = (
    '"@<write-back>.id", if this source has a column with the name of its key column, or '
    '"@<write-back>[<column>].id" with the column that holds its record key'
)
MAPPING_FORMS = (
    'a column ("company"), a column of dates with its format ({ column = "created", format = '
    '"%d.%m.%Y" }), a constant ({ value = "usd" }), an expression over the row\'s columns '
    f'({{ sql = "upper(country)" }}) or a reference ({REFERENCE_FORMS})'
)
_REFERENCE = re.compile(r"@(?P<writeback>\w+)(\[(?P<column>[^\]]+)\])?\.(?P<field>\w+)")

_SAMPLE = datetime(2026, 11, 27, tzinfo=UTC)

Constant = bool | int | Decimal | str


class ConstantSettings(SettingsModel):
    """`{ value = "usd" }`: the same value in every row."""

    value: Constant | list[Any] | dict[str, Any]


class ColumnSettings(SettingsModel):
    """`{ column = "created", format = "%d.%m.%Y" }`: a column of dates in a declared format.

    Attributes:
        column: The source's column.
        format: As of `datetime.strptime`; a date without a zone is UTC.
    """

    column: str = Field(min_length=1)
    format: str = Field(min_length=1)


class ExpressionSettings(SettingsModel):
    """`{ sql = "upper(country)" }`: a SQL expression over the source's columns."""

    sql: str = Field(min_length=1)


class ReferenceSettings(SettingsModel):
    """`@new_customers[crm_id].id`: a field of a record that another write-back created.

    Attributes:
        writeback: The other write-back.
        column: This source's column with the other's record key; None: it has the name of the
            other's key column.
        field: A field of the record, usually `id`.
    """

    writeback: str
    column: str | None = None
    field: str = "id"

    def __str__(self) -> str:
        column = f"[{self.column}]" if self.column else ""
        return f"@{self.writeback}{column}.{self.field}"


FieldSource = str | ColumnSettings | ConstantSettings | ExpressionSettings | ReferenceSettings


def read_mapping(value: object) -> object:
    """Reads one value of a mapping as the file has it.

    Raises:
        ValueError: It has none of the accepted forms.
    """
    if isinstance(value, str) and value.startswith("@"):
        found = _REFERENCE.fullmatch(value.strip())
        if found is None:
            message = f"{value!r} is not a reference. Accepted forms: {REFERENCE_FORMS}"
            raise ValueError(message)
        return ReferenceSettings(**found.groupdict())
    if isinstance(value, bool | int | float):
        return ConstantSettings(value=_exact(value))
    if isinstance(value, dict) and value.keys() == {"value"}:
        return ConstantSettings(value=_exact(value["value"]))
    if isinstance(value, dict) and value.keys() == {"column", "format"}:
        return ColumnSettings(column=str(value["column"]), format=_date_format(value["format"]))
    if isinstance(value, dict) and value.keys() == {"sql"} and isinstance(value["sql"], str):
        return ExpressionSettings(sql=value["sql"])
    if isinstance(value, str):
        return value
    message = f"{value!r} does not name the source of a field. Accepted forms: {MAPPING_FORMS}"
    raise ValueError(message)


def _date_format(text: object) -> str:
    """Checks that a format describes a whole date, by writing a date and reading it again.

    Raises:
        ValueError: It lacks the year, the month or the day, or has a directive that cannot be read.
    """
    try:
        written = _SAMPLE.strftime(str(text))
        is_whole = datetime.strptime(written, str(text)).date() == _SAMPLE.date()  # noqa: DTZ007 - only its date is compared
    except ValueError:
        is_whole = False
    if not is_whole:
        message = (
            f"format = {text!r} does not describe a date: it needs year, month and day, such as "
            '"%d.%m.%Y" or "%m/%d/%y %H:%M"'
        )
        raise ValueError(message)
    return str(text)


def _exact(value: Any) -> Any:
    """Replaces floats by decimals: 9.99 in TOML means exactly 9.99."""
    if isinstance(value, float):
        return Decimal(str(value))
    if isinstance(value, dict):
        return {name: _exact(item) for name, item in value.items()}
    return [_exact(item) for item in value] if isinstance(value, list) else value
