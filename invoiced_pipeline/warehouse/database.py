"""The interface of a warehouse: nothing outside this package knows which kind it is.

A `Database` is cheap to create and holds nothing open; `open_database` takes it from the settings.
"""

import os
import socket
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from invoiced_pipeline.exceptions import WarehouseError

if TYPE_CHECKING:
    from dlt import Pipeline


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds the writer's lock.

    Attributes:
        run_id: The Dagster run.
        pid: Its process.
        since: When it took the lock (ISO, UTC).
        host: The machine of its process; empty if it was not recorded.
    """

    run_id: str
    pid: int
    since: str
    host: str = ""

    @classmethod
    def of_this_process(cls, run_id: str) -> Self:
        """Returns the holder for a run in this process, from now on."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(run_id, os.getpid(), now, socket.gethostname())

    def __str__(self) -> str:
        is_here = self.host in {"", socket.gethostname()}
        where = "" if is_here else f" on {self.host}"
        return f"run {self.run_id} (pid {self.pid}{where}, since {self.since})"


@dataclass(frozen=True, slots=True)
class LockState:
    """The writer's lock of a dataset at one moment, and the runs that are connected.

    Attributes:
        holder: Who holds it; None if nobody does.
        dead: Who held it when its process died, if nobody has taken it since.
        connected: Ids of the runs that have a session on the server, on any machine; None for a
            file, which cannot tell.
    """

    holder: Holder | None = None
    dead: Holder | None = None
    connected: frozenset[str] | None = None


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view, as the warehouse describes it.

    Attributes:
        schema: Where it is.
        name: Its name.
        is_view: Whether it is a view.
        comment: Its comment; None if it has none.
        columns: Every column's comment, by name, in the columns' order.
    """

    schema: str
    name: str
    is_view: bool
    comment: str | None
    columns: Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """The rows of a user's query or file.

    Attributes:
        columns: Their names, in order.
        json_columns: Names of JSON columns; their values come as text.
        rows: Values as the warehouse has them: Decimal, datetime (UTC), dict and list, ...
        is_text: Whether every value is text, as in a CSV file: the type of each field then decides
            how it is read.
        problems: Why a row could not be read, by position from 0; all its cells are None.
        record_keys: Names of rows whose key could not be read, by position, e.g. `line 7`.
        skipped: Blank rows that were left out.
    """

    columns: tuple[str, ...]
    json_columns: frozenset[str] = frozenset()
    rows: list[tuple[Any, ...]]
    is_text: bool = False
    problems: Mapping[int, str] = field(default_factory=dict)
    record_keys: Mapping[int, str] = field(default_factory=dict)
    skipped: int = 0


@dataclass(frozen=True, slots=True)
class QueryResult:
    """The result of a statement that a person typed.

    Attributes:
        columns: Their names, in order; none if the statement returns no rows.
        json_columns: Positions of JSON columns; their values come as text.
        rows: Values as the warehouse has them; they can be read once, while the query is open.
    """

    columns: tuple[str, ...]
    json_columns: frozenset[int]
    rows: Iterator[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class StorageFormat:
    """The format of a warehouse that is a file.

    Attributes:
        version: Its name, such as `v1.4.0`.
        readers: Which programs can open it, such as `DuckDB 1.4 and newer`.
    """

    version: str
    readers: str


class Session(ABC):
    """A short-lived connection to one dataset; never hold it across a request to the API.

    Table names without a schema mean the dataset's tables. Times are UTC. Placeholders are `%s`,
    and a statement with values writes a percent sign as `%%`. SQL is standard SQL that runs on
    every warehouse. JSON columns come as text. Each statement commits by itself, except inside
    `transaction`.
    """

    @abstractmethod
    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Returns all rows of a query.

        Raises:
            WarehouseError: The warehouse refused it; the text is the warehouse's own.
        """

    @abstractmethod
    def run(self, sql: str, values: Sequence[Any] = ()) -> None:
        """Runs a statement that returns no rows; errors as of `rows`."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """Commits all statements of the block at its end, or none; errors as of `rows`."""

    def tables(self, *, with_column: str | None = None) -> frozenset[str]:
        """Returns the names of the dataset's tables and views; none if there is no dataset.

        Args:
            with_column: If given, only tables and views with this column.
        """
        source, values = "tables", [self.dataset]
        if with_column is not None:
            source, values = "columns", [self.dataset, with_column]
        named = " and column_name = %s" if with_column is not None else ""
        sql = f"select table_name from information_schema.{source} where table_schema = %s{named}"  # noqa: S608 - our own names
        return frozenset(name for (name,) in self.rows(sql, values))

    def columns(self, name: str) -> frozenset[str]:
        """Returns the columns of one of the dataset's tables or views; none if there is none."""
        sql = (
            "select column_name from information_schema.columns "
            "where table_schema = %s and table_name = %s"
        )
        return frozenset(column for (column,) in self.rows(sql, [self.dataset, name]))

    @abstractmethod
    def relations(self, schemas: Sequence[str]) -> list[Relation]:
        """Returns the tables and views of some schemas with comments; schemas need not exist."""

    @abstractmethod
    def qualified(self, schema: str, name: str | None = None) -> str:
        """Returns the unambiguous name of a schema, or of a table or view in it, for SQL."""

    @abstractmethod
    def seen_from_beside(self, name: str) -> str | None:
        """Returns the name of a table for a view in another schema; None if it has none there."""

    @abstractmethod
    def elements(self, column: str) -> str:
        """Returns SQL for the elements of a JSON array, for a lateral join.

        Its columns are `value`, as JSON, and `position` from 1. It has no rows if the value is NULL
        or no array.

        Args:
            column: The JSON column, in SQL.
        """

    @property
    @abstractmethod
    def catalog(self) -> str:
        """The name of the database, which DuckDB takes from the file's name."""

    def limit_waiting(self) -> None:  # noqa: B027 - a file has no other users
        """Makes later statements fail if they wait too long for other users of a table."""

    def keep_indexes(self, columns: Iterable[tuple[str, str]]) -> None:  # noqa: B027 - a file needs none
        """Creates the indexes that are missing.

        Args:
            columns: Tables, which need not exist, and columns.

        Raises:
            WarehouseError: An index could not be created.
        """

    @property
    @abstractmethod
    def dataset(self) -> str:
        """The schema of table names without a schema."""


class Database(ABC):
    """A warehouse: a file, or a database on a server."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """Its name in the setting `destination`, such as `duckdb`."""

    @property
    @abstractmethod
    def label(self) -> str:
        """Its name in messages, which never holds a secret."""

    @abstractmethod
    def beside(self, name: str) -> Path:
        """Returns the local file or folder `name` that belongs to the warehouse."""

    @abstractmethod
    def exists(self) -> bool:
        """Returns whether there is anything to read; True for a server, without asking it."""

    @abstractmethod
    def check_writable(self) -> None:
        """Checks that it can be written, before an hour of reading; leaves nothing behind.

        Raises:
            WarehouseBusyError: Another program keeps it from being written.
            WarehouseNotWritableError: It cannot be reached, or may not be written.
        """

    def storage_format(self) -> StorageFormat | None:
        """Returns the format of the file, or of the one that would be created; None for a server.

        Raises:
            WarehouseError: The file cannot be opened.
        """
        return None

    @abstractmethod
    def session(self, dataset: str, *, read_only: bool = False) -> AbstractContextManager[Session]:
        """Opens a session over `dataset`.

        A session that may write creates the dataset and the file if they are missing; take the
        writer's lock first. A read-only session needs a warehouse that `exists`, but no dataset: it
        then has no tables.

        Raises:
            WarehouseBusyError: Another program has the file open.
            WarehouseError: It cannot be opened.
        """

    @abstractmethod
    def select(self, dataset: str, sql: str) -> Selection:
        """Returns the rows of a query that a user wrote, which cannot change anything.

        Args:
            dataset: The schema of table names without a schema.
            sql: One SELECT in the warehouse's own dialect, without placeholders.

        Raises:
            WarehouseBusyError: Another program has the file open.
            WarehouseError: It is not one SELECT, or the warehouse refuses it; the text is the
                warehouse's own, and may repeat values.
        """

    @abstractmethod
    def query(self, dataset: str, sql: str) -> AbstractContextManager[QueryResult]:
        """Runs SQL that a person typed, while the warehouse is open for reading only.

        Unlike `select`, it takes any statement that changes nothing, such as `explain`.

        Args:
            dataset: The schema of table names without a schema.
            sql: SQL in the warehouse's own dialect, without placeholders.

        Raises:
            WarehouseBusyError: Another program has the file open.
            WarehouseError: It cannot be opened, or the warehouse refuses the SQL; the text is the
                warehouse's own.
        """

    def rewrite(self, dataset: str) -> None:  # noqa: B027 - optional
        """Rewrites the data of `dataset`, so that no bytes of former rows stay on disk.

        Raises:
            WarehouseError: It could not be rewritten; the data is unchanged.
        """

    @abstractmethod
    def pipeline(self, dataset: str) -> "Pipeline":
        """Returns the dlt pipeline that loads `dataset`; its name is derived from the dataset."""

    @abstractmethod
    def writer_lock(
        self, dataset: str, run_id: str, *, wait: bool = False
    ) -> AbstractContextManager[Holder | None]:
        """Holds the lock on `dataset`; yields the last holder if its process died with the lock.

        The lock ends with its process, however that ends. A file has one lock for all its datasets,
        a server one for each dataset.

        Args:
            dataset: What is written.
            run_id: The run that writes.
            wait: Whether to wait until another run releases it, without limit.

        Raises:
            WarehouseBusyError: Another run holds it, and this one does not wait; the text names
                that run.
            WarehouseNotWritableError: The lock cannot be taken at all.
        """

    def check_lock(self, dataset: str) -> None:  # noqa: B027 - a file's lock ends with its process
        """Checks that the writer's lock, if this process took it, has not been lost since.

        Raises:
            WarehouseError: It was lost, so another run may be writing.
        """

    def current_holder(self, dataset: str) -> Holder | None:
        """Returns who writes `dataset` at this moment; None if nobody does. Takes no lock."""
        return self.lock_state(dataset).holder

    @abstractmethod
    def lock_state(self, dataset: str) -> LockState:
        """Returns who writes `dataset`, who died writing it, and who is connected. Takes no lock.

        Raises:
            WarehouseError: A server cannot be reached.
        """

    @abstractmethod
    def error_for(self, error: BaseException) -> type[WarehouseError]:
        """Returns the class of our error for the innermost cause of a failed load."""
