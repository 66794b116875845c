"""`[connection.tables]`: which tables and columns are replicated, and how.

Names of tables and columns are checked against the catalog elsewhere (`selection/tables.py`).
"""

from collections import Counter
from typing import Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from invoiced_pipeline.settings.base import SettingsModel

Method = Literal["incremental", "full"]
"""How a sync reads a table: only windows that are not covered yet, or the whole table."""


def _refuse_both(include: list[str] | None, exclude: list[str]) -> None:
    if include is not None and exclude:
        message = "include and exclude cannot be combined: keep one of them"
        raise ValueError(message)


class TableSettings(SettingsModel):
    """`[connection.tables.<table>]`: the columns of one table, and how it is read."""

    include: list[str] | None = Field(
        default=None,
        description="Columns to replicate; all by default. Keys and `updated_at` are always "
        "replicated. A column that is left out later stays in the warehouse and is NULL in rows "
        "loaded from then on.",
        examples=[["name", "number", "balance"]],
    )
    exclude: list[str] = Field(
        default=[],
        description="Columns to leave out, instead of `include`.",
        examples=[["notes", "payment_source"]],
    )
    hash: list[str] = Field(
        default=[],
        description="Text columns to replace by their salted SHA-256 hash, also in rows loaded "
        "before.",
        examples=[["email"]],
    )
    drop: list[str] = Field(
        default=[],
        description="Columns to leave out and to clear in rows loaded before, so that their values "
        "are stored nowhere.",
        examples=[["tax_id", "phone"]],
    )
    children: bool | None = Field(
        default=None,
        description="Whether arrays become child tables; by default as in `[connection.tables]`.",
        examples=[False],
    )
    method: Method = Field(
        default="incremental",
        description="`incremental` reads what is not covered yet. `full` reads the whole table at "
        "every sync and marks rows whose records were deleted.",
        examples=["full"],
    )
    history: bool = Field(
        default=False,
        description="Whether every version of a record that a sync reads is kept, in the view "
        "`<table>__history`. Switching it off later keeps the versions stored so far. Not for "
        "`plans`.",
        examples=[True],
    )

    retention_days: int | None = Field(
        default=None,
        ge=1,
        description="Only for `events`: rows older than so many days are removed by the next sync, "
        "and not loaded. All are kept by default.",
        examples=[90],
    )

    @model_validator(mode="after")
    def _lists_agree(self) -> Self:
        _refuse_both(self.include, self.exclude)
        named = Counter([*self.exclude, *set(self.hash), *set(self.drop)])
        if doubled := sorted(name for name, times in named.items() if times > 1):
            message = f"{doubled[0]} is in more than one of exclude, hash and drop: keep one"
            raise ValueError(message)
        if self.include is not None and (both := sorted({*self.include} & {*self.drop})):
            message = f"{both[0]} is in both include and drop: keep one of them"
            raise ValueError(message)
        return self


class TablesSettings(SettingsModel):
    """`[connection.tables]`: which tables are replicated, and settings of single tables."""

    model_config = ConfigDict(extra="allow")
    # Every other key is the name of a table, with that table's settings (pydantic's typed extras).
    __pydantic_extra__: dict[str, TableSettings] = Field(init=False)  # pyright: ignore[reportIncompatibleVariableOverride]

    include: list[str] | None = Field(
        default=None,
        description="Tables to replicate; all by default.",
        examples=[["customers", "invoices", "payments"]],
    )
    exclude: list[str] = Field(
        default=[],
        description="Tables, or child tables such as `invoices__items`, to leave out. Data loaded "
        "before stays as it is.",
        examples=[["transactions", "invoices__items"]],
    )
    optional: list[str] = Field(
        default=[],
        description="Optional tables to replicate in addition: `events`, `contacts`, "
        "`payment_sources`, `pending_line_items`, `payment_plans`. None by default; see "
        "[tables.md](tables.md).",
        examples=[["events", "contacts"]],
    )
    children: bool = Field(
        default=True,
        description="Whether arrays of objects become child tables, in addition to their JSON "
        "column.",
        examples=[False],
    )

    @field_validator("optional", mode="before")
    @classmethod
    def _names_may_be_one_text(cls, optional: object) -> object:
        if not isinstance(optional, str):
            return optional
        return [name for each in optional.split(",") if (name := each.strip())]

    @field_validator("include")
    @classmethod
    def _something_is_left(cls, include: list[str] | None) -> list[str] | None:
        if include == []:
            message = "include = [] selects no table: name tables, or remove include to select all"
            raise ValueError(message)
        return include

    @model_validator(mode="after")
    def _lists_agree(self) -> Self:
        _refuse_both(self.include, self.exclude)
        return self

    @property
    def by_table(self) -> dict[str, TableSettings]:
        """Settings of single tables, by the names in the file."""
        return self.__pydantic_extra__
