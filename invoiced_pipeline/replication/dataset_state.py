"""What a dataset remembers, kept in dlt's state: it commits with the load it belongs to."""

from collections.abc import Iterable, MutableMapping
from datetime import datetime
from typing import Any

from invoiced_pipeline.exceptions import DatasetMismatchError
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.replication.server_clock import ClockRecord
from invoiced_pipeline.windows import FOREVER, Coverage, Window, from_epoch, to_epoch


class DatasetState:
    """Reads and writes one dataset's coverage and identity."""

    def __init__(self, state: MutableMapping[str, Any]) -> None:
        self._state = state

    def check_owner(self, request: ReplicationRequest) -> None:
        """Makes sure that the dataset holds this request's records, or none at all.

        Raises:
            DatasetMismatchError: It holds those of another connection or host, or on another grid.
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

    def claim(self, request: ReplicationRequest) -> None:
        """Remembers whose records the dataset holds; only to be called when it will hold some.

        A first try with the wrong host or key would otherwise keep the right one out.
        """
        self._state.setdefault("identity", _identity(request))

    def coverage(self, table: str) -> Coverage:
        """What of `table` has been read completely."""
        return Coverage.from_state(self._state.get("coverage", {}).get(table, []))

    def set_coverage(self, table: str, coverage: Coverage) -> None:
        """Notes the coverage of `table`; it counts once the load has committed."""
        self._state.setdefault("coverage", {})[table] = coverage.to_state()

    def clock(self, name: str) -> ClockRecord | None:
        """Under which clock a table, or a feed, was last read; None where nothing is known."""
        known = self._state.get("clocks", {}).get(name)
        return None if known is None else ClockRecord.from_state(known)

    def set_clock(self, name: str, memory: ClockRecord) -> None:
        """Notes under which clock it was read; it counts once the load has committed."""
        self._state.setdefault("clocks", {})[name] = memory.to_state()

    def columns(self, table: str) -> list[str] | None:
        """The columns with which `table` was created; None where it was never loaded."""
        return self._state.get("columns", {}).get(table)

    def set_columns(self, table: str, columns: list[str]) -> None:
        """Notes the columns of `table`; they count once the load has committed."""
        self._state.setdefault("columns", {})[table] = columns

    def events_until(self) -> datetime | None:
        """Until when (UTC) the events feed has been read; None where it never was."""
        until = self._state.get("events_until")
        return None if until is None else from_epoch(until)

    def set_events_until(self, until: datetime) -> None:
        """Notes how far the events feed was read; it counts once the load has committed."""
        self._state["events_until"] = to_epoch(until)

    def payments_until(self) -> datetime | None:
        """Until when (UTC) payments were read that are not replicated; None where never."""
        until = self._state.get("payments_until")
        return None if until is None else from_epoch(until)

    def set_payments_until(self, until: datetime) -> None:
        """Notes how far such payments were read; it counts once the load has committed."""
        self._state["payments_until"] = to_epoch(until)

    def adjustments_load(self) -> str | None:
        """The last load whose adjustments were compared with transactions; None where none was."""
        return self._state.get("adjustments_load")

    def set_adjustments_load(self, load: str | None) -> None:
        """Notes up to which load adjustments were compared; it counts once a load has committed."""
        self._state["adjustments_load"] = load

    def survivors(self, table: str) -> list[int]:
        """Customers that others were merged into, whose records in `table` are to be fetched."""
        return self._state.get("survivors", {}).get(table, [])

    def add_survivors(self, table: str, customers: Iterable[int]) -> None:
        """Notes customers whose records in `table` are to be fetched again."""
        wanted = sorted({*self.survivors(table), *customers})
        if wanted:
            self._state.setdefault("survivors", {})[table] = wanted

    def forget_survivors(self, table: str) -> None:
        """Notes that the records were fetched; it counts once the load has committed."""
        self._state.get("survivors", {}).pop(table, None)

    def note_unavailable(self, table: str) -> None:
        """Notes that the account does not have `table`; it counts once the load has committed."""
        known = self._state.setdefault("unavailable", [])
        if table not in known:
            known.append(table)

    def note_available(self, table: str) -> None:
        """Notes that `table` could be read, before its coverage is noted.

        If it could not for some time, deletions of that time may have been out of sight, too: the
        next run goes back to where the table's coverage ends.
        """
        known = self._state.get("unavailable", [])
        if table not in known:
            return
        known.remove(table)
        until = self.coverage(table).until
        if until is not None:
            marks = self._state.setdefault("go_back", {})
            marks[table] = to_epoch(until)

    def go_back(self) -> None:
        """Has deletions read again from the time when a table became unavailable.

        Transactions also vanish with changes of payments, which are then read again as well.
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
        """Columns and arrays of `table` that some of its rows were loaded without."""
        return frozenset(self._state.get("gaps", {}).get(table, ()))

    def set_gaps(self, table: str, gaps: Iterable[str]) -> None:
        """Notes the gaps of `table`; they count once the load has committed."""
        self._state.setdefault("gaps", {})[table] = sorted(gaps)

    def hidden(self) -> dict[str, Any] | None:
        """What is hashed and dropped of the dataset's rows; None where nothing was ever said."""
        return self._state.get("hidden")

    def set_hidden(self, hidden: dict[str, Any]) -> None:
        """Notes what is hashed and dropped; it counts once the load has committed."""
        self._state["hidden"] = hidden

    def is_new(self) -> bool:
        """Whether no table was ever loaded."""
        return not self._state.get("columns")

    def coverages(self) -> dict[str, Coverage]:
        """Coverage of every table that was ever read."""
        return {table: self.coverage(table) for table in self._state.get("coverage", {})}

    def rejected(self, table: str) -> list[tuple[str, int]]:
        """Rejects of `table` to ask for again: id, and epoch second of the first rejection."""
        return [(key, first) for key, first in self._state.get("rejected", {}).get(table, [])]

    def set_rejected(self, table: str, rejected: list[tuple[str, int]]) -> None:
        """Notes what is rejected of `table`; it counts once the load has committed."""
        self._state.setdefault("rejected", {})[table] = [list(pair) for pair in rejected]

    def announce_fields(self, table: str, fields: set[str]) -> list[str]:
        """Those of some unknown fields that were never announced; from now on they were."""
        known = self._state.get("unknown_fields", {}).get(table, [])
        new = sorted(fields.difference(known))
        if new:
            self._state.setdefault("unknown_fields", {})[table] = sorted(fields.union(known))
        return new


def _identity(request: ReplicationRequest) -> dict[str, str]:
    return {
        "connection": request.connection,
        "host": request.host,
        "partitions": request.cadence,
    }
