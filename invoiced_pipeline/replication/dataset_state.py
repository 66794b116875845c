"""What a dataset remembers, kept in dlt's state, which commits together with the load."""

from collections.abc import Iterable, MutableMapping
from datetime import datetime
from typing import Any

from invoiced_pipeline.exceptions import DatasetMismatchError
from invoiced_pipeline.replication.partial_read import PartialRead
from invoiced_pipeline.replication.partial_visit import PartialVisit
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.replication.server_clock import ClockRecord
from invoiced_pipeline.windows import FOREVER, Coverage, Window, from_epoch, to_epoch


class DatasetState:
    """One dataset's state; what a setter notes counts once the load has committed."""

    def __init__(self, state: MutableMapping[str, Any]) -> None:
        self._state = state

    def bind(self, state: MutableMapping[str, Any]) -> None:
        """Goes on with the state of the next package, which begins as the last one's ended."""
        self._state = state

    def check_owner(self, request: ReplicationRequest) -> None:
        """Checks that the dataset holds records of this request's connection, or none at all.

        Raises:
            DatasetMismatchError: Its records are of another connection or host, its partitions are
                of another size, or its default start date is another one.
        """
        asked = _identity(request)
        held = self._state.get("identity", asked)
        for what, value in asked.items():
            if held.get(what) != value:
                message = (
                    f"This dataset belongs to {what} {held.get(what)!r}, and the settings say "
                    f"{value!r}. Nothing was loaded. Set {what} back, or use another dataset"
                )
                raise DatasetMismatchError(message)
        self._check_default_start(request)

    def claim(self, request: ReplicationRequest) -> None:
        """Notes whose records the dataset holds; call it only if the run will load some.

        Otherwise a first try with a wrong host or key would keep the right one out.
        """
        self._state.setdefault("identity", _identity(request))
        if request.default_start is not None:
            self._state.setdefault("default_start", request.default_start.isoformat())

    def coverage(self, table: str) -> Coverage:
        """Returns the windows of `table` that have been read completely."""
        return Coverage.from_state(self._state.get("coverage", {}).get(table, []))

    def set_coverage(self, table: str, coverage: Coverage) -> None:
        """Notes the coverage of `table`."""
        self._state.setdefault("coverage", {})[table] = coverage.to_state()

    def clock(self, name: str) -> ClockRecord | None:
        """Returns the server's clock at the last read of a table or feed; None if not known."""
        known = self._state.get("clocks", {}).get(name)
        return None if known is None else ClockRecord.from_state(known)

    def set_clock(self, name: str, memory: ClockRecord) -> None:
        """Notes the server's clock at a read."""
        self._state.setdefault("clocks", {})[name] = memory.to_state()

    def columns(self, table: str) -> list[str] | None:
        """Returns the columns that `table` was created with; None if it was never loaded."""
        return self._state.get("columns", {}).get(table)

    def set_columns(self, table: str, columns: list[str]) -> None:
        """Notes the columns of `table`."""
        self._state.setdefault("columns", {})[table] = columns

    def history_since(self, table: str) -> str | None:
        """Returns since when (ISO, UTC) loads of `table` keep its versions; None if they do not."""
        return self._state.get("history", {}).get(table)

    def set_history_since(self, table: str, since: str | None) -> None:
        """Notes since when loads of `table` keep its versions; None if they no longer do."""
        if since is not None:
            self._state.setdefault("history", {})[table] = since
        else:
            self._state.get("history", {}).pop(table, None)

    def events_until(self) -> datetime | None:
        """Returns until when (UTC) the events feed has been read; None if never."""
        until = self._state.get("events_until")
        return None if until is None else from_epoch(until)

    def set_events_until(self, until: datetime) -> None:
        """Notes until when the events feed was read."""
        self._state["events_until"] = to_epoch(until)

    def payments_until(self) -> datetime | None:
        """Returns until when (UTC) unreplicated payments were read; None if never."""
        until = self._state.get("payments_until")
        return None if until is None else from_epoch(until)

    def set_payments_until(self, until: datetime) -> None:
        """Notes until when unreplicated payments were read."""
        self._state["payments_until"] = to_epoch(until)

    def adjustments_load(self) -> str | None:
        """Returns the last load whose adjustments were compared with transactions; None if none."""
        return self._state.get("adjustments_load")

    def set_adjustments_load(self, load: str | None) -> None:
        """Notes the last load whose adjustments were compared."""
        self._state["adjustments_load"] = load

    def survivors(self, table: str) -> list[int]:
        """Returns customers that others were merged into, whose records are to be read again."""
        return self._state.get("survivors", {}).get(table, [])

    def add_survivors(self, table: str, customers: Iterable[int]) -> None:
        """Notes customers whose records in `table` are to be read again."""
        wanted = sorted({*self.survivors(table), *customers})
        if wanted:
            self._state.setdefault("survivors", {})[table] = wanted

    def forget_survivors(self, table: str) -> None:
        """Notes that the records were read again."""
        self._state.get("survivors", {}).pop(table, None)

    def is_unavailable(self, table: str) -> bool:
        """Returns whether the account did not have `table` when it was last asked for."""
        return table in self._state.get("unavailable", [])

    def note_unavailable(self, table: str) -> None:
        """Notes that the account does not have `table`."""
        known = self._state.setdefault("unavailable", [])
        if table not in known:
            known.append(table)

    def note_available(self, table: str) -> None:
        """Notes that `table` could be read; call it before its coverage is noted.

        If the table was unavailable for a time, deletions of that time may not have been visible
        either: the next run goes back to the end of the table's coverage.
        """
        known = self._state.get("unavailable", [])
        if table not in known:
            return
        known.remove(table)
        until = self.read_until(table)
        if until is not None:
            marks = self._state.setdefault("go_back", {})
            marks[table] = to_epoch(until)

    def go_back(self) -> None:
        """Makes this run read deletions again from the time when a table became unavailable.

        Transactions also vanish when payments change, so payments are read again, too.
        """
        marks = self._state.pop("go_back", {})
        if not marks:
            return
        until = self.events_until()
        if until is not None:
            self.set_events_until(min(until, from_epoch(min(marks.values()))))
        ends = [
            marks[each] for each in ("transactions", "credit_balance_adjustments") if each in marks
        ]
        if not ends:
            return
        since = from_epoch(min(ends))
        self.set_adjustments_load(None)
        self.set_coverage("payments", self.coverage("payments").remove(Window(since, FOREVER)))
        payments = self.payments_until()
        if payments is not None:
            self.set_payments_until(min(payments, since))

    def gaps(self, table: str) -> frozenset[str]:
        """Returns the columns and arrays that some rows of `table` were loaded without."""
        return frozenset(self._state.get("gaps", {}).get(table, ()))

    def set_gaps(self, table: str, gaps: Iterable[str]) -> None:
        """Notes the gaps of `table`."""
        self._state.setdefault("gaps", {})[table] = sorted(gaps)

    def hidden(self) -> dict[str, Any] | None:
        """Returns which columns of its rows are hashed and dropped; None if never noted."""
        return self._state.get("hidden")

    def set_hidden(self, hidden: dict[str, Any]) -> None:
        """Notes which columns are hashed and dropped."""
        self._state["hidden"] = hidden

    def is_new(self) -> bool:
        """Returns whether no table was ever loaded."""
        return not self._state.get("columns")

    def coverages(self) -> dict[str, Coverage]:
        """Returns the coverage of every table that was ever read."""
        return {table: self.coverage(table) for table in self._state.get("coverage", {})}

    def partial_visit(self, table: str) -> PartialVisit | None:
        """Returns how far a first read of all parents got that ended early; None if none did."""
        known = self._state.get("partial_visits", {}).get(table)
        return None if known is None else PartialVisit(*known)

    def set_partial_visit(self, table: str, visit: PartialVisit | None) -> None:
        """Notes how far a first read of all parents got; None once all are read."""
        if visit is not None:
            self._state.setdefault("partial_visits", {})[table] = list(visit)
        else:
            self._state.get("partial_visits", {}).pop(table, None)

    def partial_read(self, table: str) -> PartialRead | None:
        """Returns how far a first read of windows got that ended early; None if none did."""
        known = self._state.get("partial_reads", {}).get(table)
        return None if known is None else PartialRead.from_state(known)

    def set_partial_read(self, table: str, read: PartialRead | None) -> None:
        """Notes how far a first read of windows got; None once all are read."""
        if read is not None:
            self._state.setdefault("partial_reads", {})[table] = read.to_state()
        else:
            self._state.get("partial_reads", {}).pop(table, None)

    def read_until(self, table: str) -> datetime | None:
        """Returns until when (UTC) changes of the rows of `table` are known; None if it has none.

        Later deletions can only be found if the events since then are read.
        """
        partial = self.partial_read(table)
        return self.coverage(table).until or (None if partial is None else partial.at)

    def reject_parents(self, table: str) -> dict[str, int]:
        """Returns the parents of rejects, by the rejects' ids."""
        return self._state.get("reject_parents", {}).get(table, {})

    def set_reject_parents(self, table: str, parents: dict[str, int]) -> None:
        """Notes the parents of the rejects of `table`."""
        self._state.setdefault("reject_parents", {})[table] = parents

    def rejected(self, table: str) -> list[tuple[str, int]]:
        """Returns rejects to ask for again: id, and epoch second of the first rejection."""
        return [(key, first) for key, first in self._state.get("rejected", {}).get(table, [])]

    def set_rejected(self, table: str, rejected: list[tuple[str, int]]) -> None:
        """Notes the rejects of `table`."""
        self._state.setdefault("rejected", {})[table] = [list(pair) for pair in rejected]

    def announce_fields(self, table: str, fields: set[str]) -> list[str]:
        """Returns the unknown fields that were not announced before, and notes them."""
        known = self._state.get("unknown_fields", {}).get(table, [])
        new = sorted(fields.difference(known))
        if new:
            self._state.setdefault("unknown_fields", {})[table] = sorted(fields.union(known))
        return new

    def _check_default_start(self, request: ReplicationRequest) -> None:
        """Checks that the default start date is still that of the first load.

        Definitions take it from a file of their machine, which another machine does not have.
        """
        first, now = self._state.get("default_start"), request.default_start
        if first is None or now is None or now.isoformat() == first:
            return
        message = (
            f"The settings name no start date, and the first sync of this dataset fixed it at "
            f"{first}. This machine does not know that and took {now.isoformat()}. Nothing was "
            f'loaded. Set start_date = "{first}" for connection {request.connection!r} on every '
            "machine"
        )
        raise DatasetMismatchError(message)


def _identity(request: ReplicationRequest) -> dict[str, str]:
    return {
        "connection": request.connection,
        "host": request.host,
        "partitions": request.cadence,
    }
