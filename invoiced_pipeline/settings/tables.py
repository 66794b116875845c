"""`[connection.tables]`: which tables and columns are replicated, and how.

Their names are the catalog's to know: here is said what the settings mean to each other.
"""

from collections import Counter
from typing import Literal, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from invoiced_pipeline.settings.base import Strict

Method = Literal["incremental", "full"]
"""How a sync reads a table: what it does not cover yet, or the whole table every time."""


def _refuse_both(include: list[str] | None, exclude: list[str]) -> None:
    if include is not None and exclude:
        message = "include and exclude together say two things: keep one of them"
        raise ValueError(message)


class TableSettings(Strict):
    """`[connection.tables.<table>]`: the columns of one table, and how it is read."""

    include: list[str] | None = Field(
        default=None,
        description="Columns to replicate; all by default. Keys and `updated_at` always are. A "
        "column that is left out stays in the warehouse, NULL in rows loaded from then on.",
        examples=[["name", "number", "balance"]],
    )
    exclude: list[str] = Field(
        default=[],
        description="Columns to leave out, in place of `include`.",
        examples=[["notes", "payment_source"]],
    )
    hash: list[str] = Field(
        default=[],
        description="Text columns of which only SHA-256 with the salt is kept, also of rows "
        "loaded before.",
        examples=[["email"]],
    )
    drop: list[str] = Field(
        default=[],
        description="Columns whose values are kept nowhere: left out, and removed from rows "
        "loaded before.",
        examples=[["tax_id", "phone"]],
    )
    children: bool | None = Field(
        default=None,
        description="Whether arrays become child tables; as in `[connection.tables]` by default.",
        examples=[False],
    )
    method: Method = Field(
        default="incremental",
        description="`incremental` reads what is not covered yet, `full` the whole table at every "
        "sync, and marks rows that are gone.",
        examples=["full"],
    )

    @model_validator(mode="after")
    def _lists_agree(self) -> Self:
        _refuse_both(self.include, self.exclude)
        named = Counter([*self.exclude, *set(self.hash), *set(self.drop)])
        if doubled := sorted(name for name, times in named.items() if times > 1):
            message = f"{doubled[0]} stands in two of exclude, hash and drop: keep one of them"
            raise ValueError(message)
        if self.include is not None and (both := sorted({*self.include} & {*self.drop})):
            message = f"{both[0]} stands in include and in drop: keep one of them"
            raise ValueError(message)
        return self


class TablesSettings(Strict):
    """`[connection.tables]`: which tables; beside these, a table of settings for each."""

    model_config = ConfigDict(extra="allow")
    # Whatever else is set is a table's name, with that table's settings (pydantic's own way).
    __pydantic_extra__: dict[str, TableSettings] = Field(init=False)  # pyright: ignore[reportIncompatibleVariableOverride]

    include: list[str] | None = Field(
        default=None,
        description="Tables to replicate; all by default.",
        examples=[["customers", "invoices", "payments"]],
    )
    exclude: list[str] = Field(
        default=[],
        description="Tables, or child tables such as `invoices__items`, to leave out. The data of "
        "a table that is left out stays as it is.",
        examples=[["transactions", "invoices__items"]],
    )
    children: bool = Field(
        default=True,
        description="Whether arrays of objects become child tables, beside their JSON column.",
        examples=[False],
    )

    @field_validator("include")
    @classmethod
    def _something_is_left(cls, include: list[str] | None) -> list[str] | None:
        if include == []:
            message = "include = [] selects no table: name some, or leave include out for all"
            raise ValueError(message)
        return include

    @model_validator(mode="after")
    def _lists_agree(self) -> Self:
        _refuse_both(self.include, self.exclude)
        return self

    @property
    def by_table(self) -> dict[str, TableSettings]:
        """What is set for single tables, by the names as they are written."""
        return self.__pydantic_extra__
