"""The types of the catalog: tables of Invoiced as plain values."""

import re
from dataclasses import dataclass, field
from typing import Literal

ColumnType = Literal["bigint", "text", "boolean", "decimal", "timestamp", "json"]
"""The type of a column: `decimal` is DECIMAL(38,10), in major currency units; `timestamp` is UTC,
and epoch seconds in the API; `json` is an object or array as the API sent it."""

Listing = Literal["windowed", "filtered", "whole", "newest_first", "appended", "per_parent"]
"""How a list endpoint is read.

`windowed`: it supports `updated_after`, `updated_before` and `sort=updated_at asc`.
`filtered`: it ignores or refuses those filters, and supports `advanced_filter` on `updated_at`,
whose values are in the company's time zone, and `sort=updated_at desc`.
`whole`: it ignores those filters, and the list is short: read from the first page to the last.
`newest_first`: it ignores those filters, and the list may be long: read with
`sort=updated_at desc` until records are older than the coverage.
`appended`: records never change, and ids rise with time: read with `start_date`, `end_date` and
`sort=id asc`.
`per_parent`: there is one list per parent, such as the contacts of a customer, and none of all
records: see `Parent`.
"""


Treatment = Literal["kept", "excluded", "hashed", "dropped"]
"""How the values of a column are treated.

`excluded`: NULL in rows loaded from then on; rows loaded earlier keep their values.
`hashed`: a salted SHA-256; no clear value stays in any row, table or log.
`dropped`: NULL; no value stays in any row, table or log.
"""

Method = Literal["incremental", "full"]
"""How a sync reads a table: what is not covered yet, or the whole table every time."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table, named as the API names the field."""

    name: str
    type: ColumnType
    description: str
    sensitive: bool = False
    """Whether it holds personal or payment data, such as names, addresses or bank details."""
    contract: bool = False
    """Whether it is part of the published column contract (Stitch and Qlik schema version 1)."""
    aliases: tuple[str, ...] = ()
    """Other names of the same value in objects inside records."""
    is_day: bool = False
    """Whether the timestamp means a calendar day: midnight UTC, unless Invoiced stored a time."""
    is_epoch: bool = False
    """Whether a `bigint` holds epoch seconds: the contract keeps these instants as numbers."""
    twin: str | None = None
    """Another column of the table that always holds the same value."""
    embeds_records: bool = False
    """Whether the JSON holds records of any table, whose columns may be hashed or dropped."""
    treatment: Treatment = "kept"
    """How a connection treats its values; `kept` throughout the catalog."""

    @property
    def is_read(self) -> bool:
        """Whether its values are loaded, as they are or hashed."""
        return self.treatment in {"kept", "hashed"}


@dataclass(frozen=True, slots=True)
class ChildTable:
    """An array of objects in a record: one row per element, in addition to the JSON column."""

    array: str
    """The parent's column with the array, such as `items`."""
    description: str
    columns: tuple[Column, ...]
    joins: "tuple[ForeignKey, ...]" = ()
    """Columns with primary keys of other tables; no check compares them."""


@dataclass(frozen=True, slots=True)
class ForeignKey:
    """`column` of this table holds the primary key of `table`."""

    column: str
    table: str
    cascades: bool = False
    """Whether records are deleted with the parent, or by a change of it, without events of their
    own (observed): the column identifies their rows."""
    is_checked: bool = True
    """Whether a missing parent is an error: a connection replicates both tables, and no record
    outlives its parent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """The records that a table's lists belong to: one request per parent lists its records."""

    table: str
    """The parents' table, such as `customers`; it need not be replicated."""
    column: str
    """The column with the parent's id, which comes from the path of the request."""
    response: Literal["pages", "one_page", "record"] = "pages"
    """What a request returns: pages, the same whole list on every page, or the only record."""
    holder: str | None = None
    """The parent's column with the id of its only record; only parents that have one are asked."""
    holder_params: tuple[tuple[str, str], ...] = ()
    """Parameters that list the parents that have one."""
    key_fields: tuple[str, ...] = ()
    """Fields that make up the primary key where ids of different kinds of record may coincide."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """Rows that change the balance of a record, in standard SQL over the replica."""

    table: str
    """A table or child table of the warehouse."""
    key: str
    """Its column with the primary key of the record."""
    amount: str = "amount"
    """The amount by which a row reduces the balance."""
    where: str
    """The condition for rows that count."""
    changed: str = "_parent_updated_at"
    """Its column with the time of the row's last change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """An equation between amounts: `column` is `total` minus everything in `applied`."""

    column: str
    total: str
    applied: tuple[Applied, ...]
    where: str
    """The condition for its records, in standard SQL: drafts and voided ones owe nothing."""

    def sources(self, of: str) -> dict[str, set[str]]:
        """Returns the columns and arrays that it is computed from, by table.

        The sets may contain other words of the SQL, such as keywords.

        Args:
            of: The name of the table that has the balance.
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
    """A table: its list endpoint in the API, and the columns of its records."""

    name: str
    singular: str
    """The name of one record in the API, such as `credit_note`; also used in `parent_column`."""
    description: str
    path: str
    """The list endpoint, such as `/credit_notes`; with a parent, it has the parent's id in
    braces."""
    docs_url: str
    listing: Listing
    columns: tuple[Column, ...]
    children: tuple[ChildTable, ...] = ()
    foreign_keys: tuple[ForeignKey, ...] = ()
    joins: tuple[ForeignKey, ...] = ()
    """More columns with primary keys of other tables; no check compares them."""
    open_statuses: tuple[str, ...] = ()
    """The values of `status` of open records: owed, usable or billed."""
    list_params: tuple[tuple[str, str], ...] = ()
    """Sent with every list request, such as `("all", "1")`."""
    variants: tuple[tuple[tuple[str, str], ...], ...] = ((),)
    """Sets of parameters that together list all records, such as archived and active plans."""
    primary_key: str = "id"
    replication_key: str = "updated_at"
    deletion_event: str | None = None
    """The event for a deleted record; None if there is none, or if it can mean something else:
    `payment.deleted` is mostly a void, `subscription.deleted` the end of a subscription."""
    balance: Balance | None = None
    """How its balance is computed, as far as the replica has the fields (observed)."""
    filters_by_id: bool = True
    """Whether the list supports `filter[id]`; otherwise `GET <path>/<id>` is used (observed)."""
    has_record_path: bool = True
    """Whether `GET <path>/<id>` exists; without it, one record is looked for in the list."""
    decides_by: tuple[str, ...] = ()
    """Columns that decide which version of a record counts; always requested."""
    feature: str | None = None
    """The account feature without which the endpoint responds with 400; named in the error."""
    parent: Parent | None = None
    """Whose records they are, if the listing is `per_parent`."""
    objects: tuple[str, ...] = ()
    """Values of `object` in its records, if they are not `singular`."""
    method: Method = "incremental"
    """How the syncs of a connection read it."""
    keeps_history: bool = False
    """Whether a connection keeps every version of its records."""
    retention_days: int | None = None
    """Age in days from which a connection's rows are removed; None to keep them all."""
    _by_name: dict[str, Column] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_name.update({column.name: column for column in self.columns})

    def column(self, name: str) -> Column:
        """Returns the column `name`; raises KeyError if there is none."""
        return self._by_name[name]

    @property
    def always_read(self) -> frozenset[str]:
        """Columns that merges, coverage and deletions need; no connection can exclude them."""
        found_by = (key.column for key in self.foreign_keys if key.cascades)
        return frozenset((self.primary_key, self.replication_key, *found_by))

    @property
    def is_swept(self) -> bool:
        """Whether a sweep compares it: the API deletes no record of an append-only list."""
        return self.listing != "appended"

    def path_of(self, parent: int) -> str:
        """Returns the list endpoint of one parent."""
        return re.sub(r"\{\w+\}", str(parent), self.path)

    def child_name(self, child: ChildTable) -> str:
        """Returns the name of a child table in the warehouse: `<table>__<array>`."""
        return f"{self.name}__{child.array}"

    @property
    def can_keep_history(self) -> bool:
        """Whether a record has versions that `updated_at` tells apart.

        Records of a table read whole share ids, and those that are only appended never change.
        """
        return self.listing not in {"whole", "appended"}

    @property
    def versions_name(self) -> str:
        """The table with every version of its records: `<table>__versions`."""
        return f"{self.name}__versions"

    @property
    def history_name(self) -> str:
        """The view of its versions, with the time for which each held: `<table>__history`."""
        return f"{self.name}__history"

    @property
    def parent_column(self) -> str:
        """The column of its child tables with the parent's primary key."""
        return f"{self.singular}_id"
