"""The records of the emulated account in a SQLite file; tests may use it without HTTP."""

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from invoiced_emulator.protocol.exact_json import decode
from invoiced_emulator.records.kinds import KINDS
from invoiced_emulator.records.schema import (
    RECORD_COLUMNS,
    SCHEMA,
    body_row,
    event_links,
    record_row,
)

_CHUNK = 1000
_PLACES = ", ".join("?" * len(RECORD_COLUMNS.split(",")))
# A record that is held back stays so when it is replaced.
_PUT_RECORD = (
    f"INSERT INTO records ({RECORD_COLUMNS}) VALUES ({_PLACES}) "  # noqa: S608 - made of constants
    "ON CONFLICT (collection, key) DO UPDATE SET "
    + ", ".join(f"{name} = excluded.{name}" for name in RECORD_COLUMNS.split(", ")[2:])
)
_PUT_BODY = "INSERT OR REPLACE INTO bodies (collection, key, body, hidden) VALUES (?, ?, ?, ?)"
_PUT_LINK = "INSERT OR IGNORE INTO event_links VALUES (?, ?, ?)"


class Store:
    """Stores the records of all collections as JSON; safe in every thread.

    Records are not validated, and no events are written.

    Args:
        database: A file, created if missing, or `:memory:`.
    """

    def __init__(self, database: Path | str = ":memory:") -> None:
        is_file = str(database) != ":memory:"
        self.database = str(Path(database).resolve()) if is_file else ":memory:"
        """The file, as an absolute path."""
        self._lock = threading.RLock()
        self._depth = 0
        self._connection = sqlite3.connect(
            str(database), check_same_thread=False, isolation_level=None, cached_statements=512
        )
        self._connection.text_factory = bytes
        for pragma in ("page_size = 8192", "journal_mode = WAL", "synchronous = NORMAL"):
            self._connection.execute(f"PRAGMA {pragma}")
        self._connection.executescript(SCHEMA)

    def close(self) -> None:
        """Closes the database."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Runs the block in a transaction, rolled back on any error; may be nested."""
        with self._lock:
            outermost = self._depth == 0
            if outermost:
                self._connection.execute("BEGIN IMMEDIATE")
            self._depth += 1
            try:
                yield
            except BaseException:
                if outermost:
                    self._connection.execute("ROLLBACK")
                raise
            else:
                if outermost:
                    self._connection.execute("COMMIT")
            finally:
                self._depth -= 1

    @property
    def generation(self) -> int:
        """A number that grows with every change."""
        return self._connection.total_changes

    def rows(self, sql: str, parameters: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        """Returns all rows of a query, texts as bytes."""
        with self._lock:
            return self._connection.execute(sql, tuple(parameters)).fetchall()

    def execute(self, sql: str, parameters: Iterable[Any] = ()) -> None:
        """Runs a statement that changes the database."""
        with self._lock:
            self._connection.execute(sql, tuple(parameters))

    def put(self, collection: str, record: Mapping[str, Any]) -> None:
        """Inserts or replaces a record, unchanged."""
        self.put_many(collection, (record,))

    def put_many(self, collection: str, records: Iterable[Mapping[str, Any]]) -> int:
        """Inserts or replaces records, unchanged, and returns how many."""
        remaining = iter(records)
        total = 0
        while chunk := list(islice(remaining, _CHUNK)):
            with self.transaction():
                self._put_chunk(collection, chunk)
            total += len(chunk)
        return total

    def get(self, collection: str, record_id: int | str) -> dict[str, Any] | None:
        """Returns the latest version of a record with all fields; None when there is none."""
        keys = self.keys(collection, record_id)
        return self.at(collection, keys[-1]) if keys else None

    def at(self, collection: str, key: int) -> dict[str, Any] | None:
        """Returns a record by its key: `internal_id` for plans, items, coupons and tax rates."""
        found = self.rows(
            "SELECT body, hidden FROM bodies WHERE collection = ? AND key = ?", (collection, key)
        )
        return merged(*found[0]) if found else None

    def texts(self, collection: str, keys: Iterable[int]) -> list[tuple[bytes, bytes | None]]:
        """Returns the stored texts (shown, hidden) of records, in the order of `keys`."""
        wanted = tuple(keys)
        if not wanted:
            return []
        # One statement for a page: a statement per row would cost more than reading the rows.
        places = ",".join("?" * len(wanted))
        sql = (
            "SELECT key, body, hidden FROM bodies "  # noqa: S608 - places only, values are bound
            f"WHERE collection = ? AND key IN ({places})"
        )
        found = {key: (body, hidden) for key, body, hidden in self.rows(sql, (collection, *wanted))}
        return [found[key] for key in wanted if key in found]

    def all(self, collection: str) -> list[dict[str, Any]]:
        """Returns all records of a collection in key order, with all fields, held ones too."""
        sql = "SELECT body, hidden FROM bodies WHERE collection = ? ORDER BY key"
        return [merged(*row) for row in self.rows(sql, (collection,))]

    def of_customer(self, collection: str, customer: int) -> list[dict[str, Any]]:
        """Returns a customer's records of a collection in key order, with all fields."""
        sql = (
            "SELECT b.body, b.hidden FROM records r JOIN bodies b USING (collection, key) "
            "WHERE r.customer = ? AND r.collection = ? ORDER BY r.key"
        )
        return [merged(*row) for row in self.rows(sql, (customer, collection))]

    def remove(self, collection: str, record_id: int | str) -> None:
        """Deletes all versions of a record without an event."""
        for key in self.keys(collection, record_id):
            self.remove_key(collection, key)

    def remove_key(self, collection: str, key: int) -> None:
        """Deletes the record with this key without an event."""
        with self.transaction():
            self.execute("DELETE FROM records WHERE collection = ? AND key = ?", (collection, key))
            self.execute("DELETE FROM bodies WHERE collection = ? AND key = ?", (collection, key))

    def count(self, collection: str) -> int:
        """Returns how many records a collection holds, held ones too."""
        sql = "SELECT count(*) FROM records WHERE collection = ?"
        return self.rows(sql, (collection,))[0][0]

    def hold(self, collection: str, record_id: int | str) -> None:
        """Holds a record back from the API, as if its transaction were not committed."""
        self._set_held(collection, record_id, held=1)

    def release(self, collection: str, record_id: int | str) -> None:
        """Shows a record that was held back."""
        self._set_held(collection, record_id, held=0)

    def keys(self, collection: str, record_id: object) -> list[int]:
        """Returns the keys of a record's versions, oldest first."""
        if KINDS[collection].versioned:
            sql = "SELECT key FROM records WHERE collection = ? AND id = ? ORDER BY key"
            return [row[0] for row in self.rows(sql, (collection, str(record_id)))]
        try:
            key = int(str(record_id))
        except ValueError:
            return []
        sql = "SELECT key FROM records WHERE collection = ? AND key = ?"
        return [row[0] for row in self.rows(sql, (collection, key))]

    def next_value(self, sequence: str, *, above: int = 0) -> int:
        """Returns the next number of a sequence, greater than `above` and not used before."""
        with self.transaction():
            found = self.rows("SELECT value FROM sequences WHERE name = ?", (sequence,))
            value = max(found[0][0] if found else 0, above) + 1
            self.execute("INSERT OR REPLACE INTO sequences VALUES (?, ?)", (sequence, value))
            return value

    def next_key(self, collection: str) -> int:
        """Returns a key that no record of the collection has or had."""
        # A credit balance adjustment is another view of a transaction, with the same id.
        if collection == "credit_balance_adjustments":
            collection = "transactions"
        return self.next_value(f"key:{collection}", above=self._highest_key(collection))

    def _highest_key(self, collection: str) -> int:
        sql = "SELECT max(key) FROM records WHERE collection = ?"
        highest = self.rows(sql, (collection,))[0][0] or 0
        if collection == "transactions":
            return max(highest, self.rows(sql, ("credit_balance_adjustments",))[0][0] or 0)
        return highest

    def _put_chunk(self, collection: str, chunk: list[Mapping[str, Any]]) -> None:
        if KINDS[collection].versioned:
            keyed = [self._versioned(collection, record) for record in chunk]
        else:
            keyed = [(int(record["id"]), record) for record in chunk]
        self._connection.executemany(
            _PUT_RECORD, [record_row(collection, key, record) for key, record in keyed]
        )
        self._connection.executemany(
            _PUT_BODY, [body_row(collection, key, record) for key, record in keyed]
        )
        if collection == "events":
            links = [link for key, record in keyed for link in event_links(key, record)]
            self._connection.executemany(_PUT_LINK, links)

    def _versioned(
        self, collection: str, record: Mapping[str, Any]
    ) -> tuple[int, Mapping[str, Any]]:
        if isinstance(record.get("internal_id"), int):
            return record["internal_id"], record
        keys = self.keys(collection, record.get("id"))
        key = keys[-1] if keys else self.next_key(collection)
        return key, {**record, "internal_id": key}

    def _set_held(self, collection: str, record_id: int | str, *, held: int) -> None:
        sql = "UPDATE records SET held = ? WHERE collection = ? AND key = ?"
        for key in self.keys(collection, record_id):
            self.execute(sql, (held, collection, key))


def merged(body: bytes, hidden: bytes | None) -> dict[str, Any]:
    """Returns the record of its two stored texts."""
    return decode(body) | decode(hidden) if hidden else decode(body)
