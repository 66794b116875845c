"""What a warehouse is to the rest of the project: nothing outside this package knows which it is.

A `Database` is cheap to make and holds nothing open; `open_database` makes it from the settings.
"""

import os
import socket
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
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
        since: When it took the lock, ISO, UTC.
        host: The machine of its process; empty where nobody wrote it down.
    """

    run_id: str
    pid: int
    since: str
    host: str = ""

    @classmethod
    def of_this_process(cls, run_id: str) -> Self:
        """A run in this process, from now on."""
        now = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(run_id, os.getpid(), now, socket.gethostname())

    def __str__(self) -> str:
        is_here = self.host in {"", socket.gethostname()}
        where = "" if is_here else f" on {self.host}"
        return f"run {self.run_id} (pid {self.pid}{where}, since {self.since})"


@dataclass(frozen=True, slots=True)
class Relation:
    """A table or view, as the warehouse describes it.

    Attributes:
        schema: Where it is.
        name: Its name.
        is_view: Whether it is a view.
        comment: What `comment on` said of it; None where it said nothing.
        columns: What it said of every column, by name, in the columns' order.
    """

    schema: str
    name: str
    is_view: bool
    comment: str | None
    columns: Mapping[str, str | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a query of a user's found.

    Attributes:
        columns: Their names, in order.
        json_columns: Those of a JSON type; their values come as text.
        rows: Values as the warehouse has them: Decimal, datetime (UTC), dict and list, ...
        is_text: Whether every value is text, as in a CSV file: each field's own type then decides
            how it is read.
        problems: Rows that could not be read, by position from 0, each with the reason; their cells
            are None.
        record_keys: What names a row whose key could not be read, by position, e.g. `line 7`.
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
    """What a statement gave that a person typed.

    Attributes:
        columns: Their names, in order; none where the statement gives no rows.
        json_columns: Positions of those of a JSON type; their values come as text.
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
    and a statement that has values writes a percent sign as `%%`. SQL is standard SQL that runs
    on every warehouse. JSON columns come as text. Each statement commits by itself, but within
    `transaction`.
    """

    @abstractmethod
    def rows(self, sql: str, values: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query.

        Raises:
            WarehouseError: The warehouse refused it; the text is the warehouse's own.
        """

    @abstractmethod
    def run(self, sql: str, values: Sequence[Any] = ()) -> None:
        """Runs a statement that has no rows to give; errors as of `rows`."""

    @abstractmethod
    def transaction(self) -> AbstractContextManager[None]:
        """Commits what is run inside at its end, all or nothing; errors as of `rows`."""

    def tables(self, *, with_column: str | None = None) -> frozenset[str]:
        """Names of the dataset's tables and views; only those that have a column, if one is named.

        It is empty where the dataset does not exist.
        """
        source, values = "tables", [self.dataset]
        if with_column is not None:
            source, values = "columns", [self.dataset, with_column]
        named = " and column_name = %s" if with_column is not None else ""
        sql = f"select table_name from information_schema.{source} where table_schema = %s{named}"  # noqa: S608 - our own names
        return frozenset(name for (name,) in self.rows(sql, values))

    @abstractmethod
    def relations(self, schemas: Sequence[str]) -> list[Relation]:
        """The tables and views of some schemas with their comments; schemas need not exist."""

    @abstractmethod
    def qualified(self, schema: str, name: str | None = None) -> str:
        """How a statement names a schema, or a table or view in it, whatever else is called so."""

    @abstractmethod
    def seen_from_beside(self, name: str) -> str | None:
        """How a view in another schema names a table of the dataset; None where none can."""

    def limit_waiting(self) -> None:  # noqa: B027 - a file has nobody to wait for
        """Has later statements fail that wait for other users of a table for too long."""

    @property
    @abstractmethod
    def dataset(self) -> str:
        """The schema that names without one mean."""


class Database(ABC):
    """A warehouse: a file, or a database on a server."""

    @property
    @abstractmethod
    def kind(self) -> str:
        """What the setting `destination` calls it, such as `duckdb`."""

    @property
    @abstractmethod
    def label(self) -> str:
        """What messages call it; it never holds a secret."""

    @abstractmethod
    def beside(self, name: str) -> Path:
        """The local file or folder `name` that belongs to the warehouse."""

    @abstractmethod
    def exists(self) -> bool:
        """Whether there is anything to read; a server is taken to exist without asking it."""

    @abstractmethod
    def check_writable(self) -> None:
        """Says whether it can be written: better to know before an hour of reading.

        Asking leaves nothing behind.

        Raises:
            WarehouseBusyError: Another program keeps it from being written.
            WarehouseNotWritableError: It cannot be reached, or may not be written.
        """

    def storage_format(self) -> StorageFormat | None:
        """The format of the file, or of the one that would be made; None for a server.

        Raises:
            WarehouseError: The file cannot be opened.
        """
        return None

    @abstractmethod
    def session(self, dataset: str, *, read_only: bool = False) -> AbstractContextManager[Session]:
        """A session over `dataset`.

        One that may write makes the dataset, and the file, where there is none; take the writer's
        lock first. A read-only one needs what `exists` tells of, but no dataset: it then simply
        has no tables.

        Raises:
            WarehouseBusyError: Another program has the file open.
            WarehouseError: It cannot be opened.
        """

    @abstractmethod
    def select(self, dataset: str, sql: str) -> Selection:
        """The rows of a query that a user wrote; it can read, and cannot change anything.

        Args:
            dataset: What names without a schema mean.
            sql: One SELECT in the warehouse's own dialect, without placeholders.

        Raises:
            WarehouseBusyError: Another program has the file open.
            WarehouseError: It is no single SELECT, or the warehouse refuses it; the text is the
                warehouse's own, and may repeat values.
        """

    @abstractmethod
    def query(self, dataset: str, sql: str) -> AbstractContextManager[QueryResult]:
        """What a person typed, run while the warehouse is open for reading only.

        Unlike `select` it takes any statement that changes nothing, such as `explain`.

        Args:
            dataset: What names without a schema mean.
            sql: SQL in the warehouse's own dialect, without placeholders.

        Raises:
            WarehouseBusyError: Another program has the file open.
            WarehouseError: It cannot be opened, or the warehouse refuses the SQL; the text is the
                warehouse's own.
        """

    def rewrite(self, dataset: str) -> None:  # noqa: B027 - a server may have its own way
        """Has the data of `dataset` written anew, so that no bytes of former rows stay.

        Raises:
            WarehouseError: It could not be; the data is as it was.
        """

    @abstractmethod
    def pipeline(self, dataset: str) -> "Pipeline":
        """The dlt pipeline that loads `dataset`; its name is a function of the dataset."""

    @abstractmethod
    def writer_lock(
        self, dataset: str, run_id: str, *, wait: bool = False
    ) -> AbstractContextManager[Holder | None]:
        """Holds the right to write `dataset`; gives the holder that died holding it, if one did.

        The lock dies with its process, however that ends. A file has one lock for all datasets in
        it, a server one for each dataset.

        Args:
            dataset: What is written.
            run_id: The run that writes.
            wait: Whether to wait for another run that holds it, however long.

        Raises:
            WarehouseBusyError: Another run holds it, and this one does not wait; the text says
                which.
            WarehouseNotWritableError: The lock cannot be had at all.
        """

    @abstractmethod
    def current_holder(self, dataset: str) -> Holder | None:
        """Who writes `dataset` at this moment; None when nobody does. Asking takes nothing."""

    @abstractmethod
    def error_for(self, error: BaseException) -> type[WarehouseError]:
        """Which of our errors a failed load's innermost cause is."""
