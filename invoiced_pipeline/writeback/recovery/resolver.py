"""Resolves requests without a response: looks their records up and decides what became of them."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta

from invoiced_pipeline.exceptions import ApiError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.writeback.clock import Clock
from invoiced_pipeline.writeback.ledger.ledger import Entry
from invoiced_pipeline.writeback.recovery.lookup import Lookup, decode
from invoiced_pipeline.writeback.recovery.lookup_result import (
    LookupResult,
    look_up,
    match_records,
)
from invoiced_pipeline.writeback.recovery.outcome import Outcome, decide_outcome
from invoiced_pipeline.writeback.recovery.proof import record_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """What was found out about one entry.

    Attributes:
        entry: As it was.
        outcome: The outcome of its request.
        record: The record that the request made or changed, JSON; None where there is none.
        trouble: Why the API could not be asked; the outcome is `wait` then.
    """

    entry: Entry
    outcome: Outcome
    record: bytes | None = None
    trouble: str | None = None


class OutcomeResolver:
    """Looks up the records of entries in state `sent`.

    Args:
        client: The account's client.
        clock: The clock.
        ahead: How far the API's clock is ahead of ours.
    """

    def __init__(self, client: InvoicedClient, clock: Clock, ahead: timedelta) -> None:
        self._client = client
        self._clock = clock
        self._ahead = ahead

    def resolve(self, entries: Sequence[Entry], others: Iterable[Entry]) -> list[Resolution]:
        """Finds out what became of the entries' requests; sends nothing.

        Args:
            entries: In state `sent`; rows of one array share a request, and its look-up.
            others: All entries of the write-back: a record that belongs to another row is not used.
        """
        owners = {entry.invoiced_id: entry.record_key for entry in others if entry.invoiced_id}
        with ThreadPoolExecutor(self._client.limit.maximum) as executor:
            results = list(executor.map(self._look_up, entries))
        resolutions: list[Resolution] = []
        # One after the other: of two identical rows, each gets a record of its own.
        for entry, result in zip(entries, results, strict=True):
            if isinstance(result, ApiError):
                trouble = f"Its outcome could not be looked up: {result}"
                resolutions.append(Resolution(entry=entry, outcome="wait", trouble=trouble))
                continue
            resolutions.append(self._resolution(entry, result, owners))
        return resolutions

    def _look_up(self, entry: Entry) -> tuple[Lookup, LookupResult] | ApiError | None:
        lookup = decode(entry.lookup)
        if lookup is None:
            return None
        try:
            return lookup, look_up(self._client, lookup)
        except ApiError as error:
            return error

    def _resolution(
        self, entry: Entry, found: tuple[Lookup, LookupResult] | None, owners: dict[str, str]
    ) -> Resolution:
        now = self._clock.now()
        if found is None:
            return Resolution(entry=entry, outcome=decide_outcome(entry, None, now))
        lookup, result = found
        if lookup.is_list:
            ours = entry.record_key
            free = [raw for raw in result.records if owners.get(record_id(raw) or "", ours) == ours]
            result = match_records(lookup, result.records, free, entry.key_sent_at, self._ahead)
        outcome = decide_outcome(entry, result, now)
        record = result.records[0] if result.records and outcome == "succeeded" else None
        identity = record_id(record)
        if identity is not None and lookup.is_list:
            owners[identity] = entry.record_key
        return Resolution(entry=entry, outcome=outcome, record=record)


def is_guess(entry: Entry) -> bool:
    """Whether the record was found by comparison alone: it may belong to an identical row."""
    if entry.state != "succeeded" or entry.status_code is not None or entry.action != "create":
        return False
    lookup = decode(entry.lookup)
    return lookup is not None and lookup.kind == "list"
