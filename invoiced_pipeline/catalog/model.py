"""The vocabulary of the catalog: what a table of Invoiced is, as plain values."""

import re
from dataclasses import dataclass, field
from typing import Literal

ColumnType = Literal["bigint", "text", "boolean", "decimal", "timestamp", "json"]
"""How a column is stored: `decimal` is DECIMAL(38,10) in major currency units, `timestamp` is
UTC and arrives as epoch seconds, `json` is the API's own text of an object or array."""

Listing = Literal["windowed", "whole", "newest_first"]
"""How a list endpoint can be read.

`windowed`: it honours `updated_after`, `updated_before` and `sort=updated_at asc`.
`whole`: it ignores those filters and is small; read from first page to last.
`newest_first`: it ignores those filters and may be large; read by `sort=updated_at desc` until
older than what is already covered.
"""


Treatment = Literal["kept", "excluded", "hashed", "dropped"]
"""What becomes of a column's values.

`excluded` and `dropped` ones are NULL in rows loaded from then on, `hashed` ones a salted SHA-256.
Of `hashed` and `dropped` ones, no clear value stays anywhere.
"""

Method = Literal["incremental", "full"]
"""How a sync reads a table: what it does not cover yet, or the whole table every time."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table, named as the API names the field."""

    name: str
    type: ColumnType
    description: str
    sensitive: bool = False
    """Personal or payment data: names, addresses, bank details (for documentation and hashing)."""
    contract: bool = False
    """Part of the published column contract (Stitch and Qlik schema version 1)."""
    aliases: tuple[str, ...] = ()
    """Other names under which the same value stands in objects inside records."""
    is_day: bool = False
    """A timestamp that names a calendar day: midnight UTC unless Invoiced stored a time."""
    is_epoch: bool = False
    """A `bigint` of epoch seconds: an instant that stays a number by contract."""
    twin: str | None = None
    """Another column of the table that always holds the same value."""
    treatment: Treatment = "kept"
    """What a connection does with its values; the catalog keeps all."""

    @property
    def is_read(self) -> bool:
        """Whether values of it are loaded, as they are or hashed."""
        return self.treatment in {"kept", "hashed"}


@dataclass(frozen=True, slots=True)
class ChildTable:
    """An array of objects inside a record, one row per element beside the JSON column."""

    array: str
    """The parent's column that holds the array, e.g. `items`."""
    description: str
    columns: tuple[Column, ...]
    joins: "tuple[ForeignKey, ...]" = ()
    """Columns that hold primary keys of other tables; no check compares them."""


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """`column` of this table holds the primary key of `table`."""

    column: str
    table: str
    cascades: bool = False
    """Records can go with the parent, or with a change of it, without events of their own
    (observed): rows are found by the column."""
    is_checked: bool = True
    """Whether a connection replicates both sides, so that missing parents can be told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """Rows that move a record's balance, in standard SQL over the replica."""

    table: str
    """A table or child table of the warehouse."""
    key: str
    """Its column that holds the record's primary key."""
    amount: str = "amount"
    """What a row takes off the balance."""
    where: str
    """Which rows count."""
    changed: str = "_parent_updated_at"
    """Its column that says when the row last changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Money that adds up: `column` is `total` less everything in `applied`."""

    column: str
    total: str
    applied: tuple[Applied, ...]
    where: str
    """Which records it holds for, in standard SQL: of drafts and voided ones nothing is owed."""

    def sources(self, of: str) -> dict[str, set[str]]:
        """What it is computed from, by table: columns, arrays that are child tables, and words.

        Args:
            of: Name of the table whose balance it is.
        """
        found = {of: {self.column, self.total, "created_at", *_words(self.where)}}
        for applied in self.applied:
            name, _, array = applied.table.partition("__")
            sql = (applied.key, applied.amount, applied.where, applied.changed)
            found.setdefault(name, set()).update({array} if array else _words(" ".join(sql)))
        return found


def _words(sql: str) -> set[str]:
    return set(re.findall(r"[a-z_]+", sql))


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """One Invoiced object as a table: where it is listed and what its records hold."""

    name: str
    singular: str
    """Title of one record in the API, e.g. `credit_note`; names the parent column of children."""
    description: str
    path: str
    """List endpoint, e.g. `/credit_notes`."""
    docs_url: str
    listing: Listing
    columns: tuple[Column, ...]
    children: tuple[ChildTable, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    joins: tuple[ForeignKey, ...] = ()
    """Further columns that hold primary keys of other tables; no check compares them."""
    open_statuses: tuple[str, ...] = ()
    """Values of `status` that count as open: owed, usable, or billed."""
    list_params: tuple[tuple[str, str], ...] = ()
    """Sent with every list request, e.g. `("all", "1")`."""
    variants: tuple[tuple[tuple[str, str], ...], ...] = ((),)
    """Parameter sets that together show all records, e.g. archived and live plans."""
    primary_key: str = "id"
    replication_key: str = "updated_at"
    deletion_event: str | None = None
    """The event that says that a record is gone; None where there is none, or where it may also
    mean something else (`payment.deleted` is mostly a void, `subscription.deleted` an end)."""
    balance: Balance | None = None
    """How its money adds up, as far as the replica's fields allow (observed behaviour)."""
    filters_by_id: bool = True
    """Whether the list takes `filter[id]`; else only `GET <path>/<id>` finds one (observed)."""
    decides_by: tuple[str, ...] = ()
    """Columns that tell which of several versions of a record counts: read whatever is selected."""
    feature: str | None = None
    """The account feature without which the endpoint answers 400, for the error's next step."""
    method: Method = "incremental"
    """How a connection's syncs read it."""
    _by_name: dict[str, Column] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_name.update({column.name: column for column in self.columns})

    def column(self, name: str) -> Column:
        """The column called `name`; KeyError when the table has none."""
        return self._by_name[name]

    @property
    def always_read(self) -> frozenset[str]:
        """Columns that merges, coverage and deletions need: no connection is without them."""
        found_by = (key.column for key in self.foreign_keys if key.cascades)
        return frozenset((self.primary_key, self.replication_key, *found_by))

    def child_name(self, child: ChildTable) -> str:
        """`<table>__<array>`, the name of a child table in the warehouse."""
        return f"{self.name}__{child.array}"

    @property
    def parent_column(self) -> str:
        """The column of this table's children that holds the parent's primary key."""
        return f"{self.singular}_id"
