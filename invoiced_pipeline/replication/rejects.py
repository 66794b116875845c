"""Rejects: records that fit no column, kept in `_rejected` and asked for again until they fit.

The ids are kept in the dataset's state, the rows in a table of the same load. The tables of a load
are merged one after the other, and the state commits after the last: if a run dies in between, the
state stays as it was, and the next run asks for the same ids again and writes the same rows.
"""

import contextlib
import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from invoiced_pipeline.catalog import Column, table
from invoiced_pipeline.nesting import decode, shallow
from invoiced_pipeline.replication.dataset_state import DatasetState
from invoiced_pipeline.replication.decode.arrow import arrow_table
from invoiced_pipeline.replication.decode.batches import Batch
from invoiced_pipeline.replication.decode.columns import TOMBSTONE
from invoiced_pipeline.replication.decode.records import Reject
from invoiced_pipeline.windows import to_epoch

if TYPE_CHECKING:
    import pyarrow as pa

REJECTED = "_rejected"

REJECTED_COLUMNS = (
    Column("table_name", "text", "The table that the record belongs to."),
    Column("id", "text", "The record's id."),
    Column(
        "reason",
        "text",
        "Which field holds what, and why it fits no column; personal values are not shown.",
    ),
    Column(
        "record", "json", "The record as the API sent it; as text if it is over 5,000 levels deep."
    ),
    Column("first_seen_at", "timestamp", "When it was first rejected (UTC)."),
    Column("last_seen_at", "timestamp", "When it was last rejected (UTC)."),
    Column("run_id", "text", "The run that last rejected it."),
    Column(TOMBSTONE, "boolean", "Always NULL: used only while a load is merged."),
)

MOST_BY_ID = 500
"""Rejects of a table that are asked for one by one; with more, their windows are read again."""

_DEEPEST_STORED = 5_000
"""Levels of JSON that every warehouse stores; PostgreSQL's stack (2 MB by default) holds more."""

_NAMELESS = "without id, "


_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class _Key(msgspec.Struct):
    id: Any = None


_key = msgspec.json.Decoder(_Key)


class Rejects:
    """One table's rejects over one run.

    Attributes:
        table: Name of the table.
        met: Rejects of this run, by id; the last version of each record.
    """

    def __init__(
        self, table: str, remembered: Iterable[tuple[str, int]], now: datetime | None = None
    ) -> None:
        """Starts from what the dataset remembers.

        Args:
            table: Name of the table.
            remembered: Id and epoch second of the first rejection, longest not asked for first.
            now: The local clock (UTC).
        """
        self.met: dict[str, Reject] = {}
        self.table = table
        self._now = to_epoch(now or datetime.now(UTC))
        self._known = dict(remembered)
        self._gone: set[str] = set()

    def meet(self, rejects: Iterable[Reject]) -> None:
        """Adds rejects of pages."""
        for reject in rejects:
            self.met[_name(reject)] = reject

    def fit(self, ids: Iterable[Any]) -> None:
        """Notes ids of records that were loaded."""
        self._gone.update(self._known.keys() & set(map(str, ids)))

    def leave(self, ids: Iterable[str]) -> None:
        """Notes ids that were asked for: those not met since then fit now, or are deleted."""
        self._gone.update(ids)

    def due(self) -> list[str]:
        """Returns ids to ask for again: those that the run has not read, at most `MOST_BY_ID`."""
        unseen = [
            key
            for key in self._known
            if not key.startswith(_NAMELESS) and key not in self.met and key not in self._gone
        ]
        return unseen[:MOST_BY_ID]

    def forget_nameless(self) -> None:
        """Forgets rejects without id; call it when all windows are read and they were met again."""
        self._gone.update(key for key in self._known if key.startswith(_NAMELESS))

    @property
    def nameless(self) -> int:
        """How many of them have no id."""
        return sum(key.startswith(_NAMELESS) for key in self.met)

    @property
    def has_known(self) -> bool:
        """Whether any were rejected before."""
        return bool(self._known)

    @property
    def has_news(self) -> bool:
        """Whether `_rejected` or the state changes."""
        return bool(self.met or self._gone)

    def remembered(self) -> list[tuple[str, int]]:
        """Returns what the dataset remembers from now on; ids of this run come last."""
        quiet = {
            key: first
            for key, first in self._known.items()
            if key not in self._gone and key not in self.met
        }
        return [*quiet.items(), *((key, self._first_seen(key)) for key in self.met)]

    def rows(self, run_id: str) -> "pa.Table":
        """Returns rows of `_rejected`: this run's rejects, and tombstones for what fits now."""
        left = sorted(self._gone - self.met.keys())
        found = list(self.met.items())
        count, dead = len(found), len(left)
        instants = [self._now] * count + [None] * dead
        values: dict[str, list[Any]] = {
            "table_name": [self.table] * (count + dead),
            "id": [key for key, _ in found] + left,
            "reason": [reject.reason for _, reject in found] + [None] * dead,
            "record": [_stored(reject.record) for _, reject in found] + [b"null"] * dead,
            "first_seen_at": [self._first_seen(key) for key, _ in found] + [None] * dead,
            "last_seen_at": instants,
            "run_id": [run_id] * count + [None] * dead,
            TOMBSTONE: [None] * count + [True] * dead,
        }
        return arrow_table(REJECTED_COLUMNS, values)

    def parents(self, column: str, remembered: Mapping[str, int]) -> dict[str, int]:
        """Returns the parents of the remembered rejects, by id.

        Args:
            column: The field with the parent's id.
            remembered: The parents of rejects of earlier runs.
        """
        known = dict(remembered)
        for key, reject in self.met.items():
            with contextlib.suppress(msgspec.MsgspecError, ValueError):
                known[key] = int(decode(_fields, reject.record)[column])
        return {key: known[key] for key, _ in self.remembered() if key in known}

    def _first_seen(self, key: str) -> int:
        return self._known.get(key, self._now)


def note_rejects(rejects: Rejects, dataset: DatasetState, run_id: str) -> Iterator[Batch]:
    """Notes the ids to ask for in the next run; yields the rows of `_rejected` that changed."""
    if rejects.has_news:
        name, parent = rejects.table, table(rejects.table).parent
        dataset.set_rejected(name, rejects.remembered())
        if parent is not None:
            known = dataset.reject_parents(name)
            dataset.set_reject_parents(name, rejects.parents(parent.column, known))
        yield Batch(REJECTED, rejects.rows(run_id))


def _stored(record: bytes) -> bytes:
    """Returns the record, or a JSON text of it if it is nested too deeply for a JSON column."""
    if shallow(record, _DEEPEST_STORED) == record:
        return record
    return msgspec.json.encode(record.decode(errors="replace"))


def _name(reject: Reject) -> str:
    """Returns the record's id, or a name derived from its content if it has none."""
    try:
        known = decode(_key, reject.record).id is not None
    except msgspec.MsgspecError:
        known = False
    if known:
        return reject.id
    return _NAMELESS + hashlib.sha256(reject.record).hexdigest()[:16]
