"""Establishes what became of requests without an answer, by looking their records up."""

from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timedelta

from invoiced_pipeline.exceptions import ApiError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.writeback.clock import Clock
from invoiced_pipeline.writeback.ledger.ledger import Entry
from invoiced_pipeline.writeback.recovery.lookup import (
    Found,
    Lookup,
    ask,
    decode,
    identified,
    record_id,
)
from invoiced_pipeline.writeback.recovery.verdict import Verdict, judge


@dataclass(frozen=True, slots=True, kw_only=True)
class Settled:
    """What was found out about one entry.

    Attributes:
        entry: As it was.
        verdict: What became of its request.
        record: The record that it made or changed, JSON; None where there is none to show.
        trouble: Why the API could not be asked; the verdict then is `wait`.
    """

    entry: Entry
    verdict: Verdict
    record: bytes | None = None
    trouble: str | None = None


class Settler:
    """Looks records up for entries in state `sent`.

    Args:
        client: Of the account.
        clock: The time.
        ahead: How far the API's clock is ahead of ours.
    """

    def __init__(self, client: InvoicedClient, clock: Clock, ahead: timedelta) -> None:
        self._client = client
        self._clock = clock
        self._ahead = ahead

    def settle(self, entries: Sequence[Entry], others: Iterable[Entry]) -> list[Settled]:
        """What became of some entries' requests; nothing is sent.

        Args:
            entries: In state `sent`; rows of one array share a request, and its look-up.
            others: All entries of the write-back: a record that is another row's is not taken.
        """
        owners = {entry.invoiced_id: entry.record_key for entry in others if entry.invoiced_id}
        with ThreadPoolExecutor(self._client.limit.capacity) as executor:
            answers = list(executor.map(self._asked, entries))
        settled: list[Settled] = []
        # One after the other: of two rows alike, each takes a record of its own.
        for entry, answer in zip(entries, answers, strict=True):
            if isinstance(answer, ApiError):
                said = f"The API could not be asked what became of it: {answer}"
                settled.append(Settled(entry=entry, verdict="wait", trouble=said))
                continue
            settled.append(self._judged(entry, answer, owners))
        return settled

    def _asked(self, entry: Entry) -> tuple[Lookup, Found] | ApiError | None:
        lookup = decode(entry.lookup)
        if lookup is None:
            return None
        try:
            return lookup, ask(self._client, lookup)
        except ApiError as error:
            return error

    def _judged(
        self, entry: Entry, answer: tuple[Lookup, Found] | None, owners: dict[str, str]
    ) -> Settled:
        now = self._clock.now()
        if answer is None:
            return Settled(entry=entry, verdict=judge(entry, None, now))
        lookup, found = answer
        is_listed = lookup.kind in {"list", "marker", "number"}
        if is_listed:
            ours = entry.record_key
            free = [raw for raw in found.records if owners.get(record_id(raw) or "", ours) == ours]
            found = identified(lookup, found.records, free, entry.key_sent_at, self._ahead)
        verdict = judge(entry, found, now)
        record = found.records[0] if found.records and verdict == "succeeded" else None
        identity = record_id(record)
        if identity is not None and is_listed:
            owners[identity] = entry.record_key
        return Settled(entry=entry, verdict=verdict, record=record)


def is_guess(entry: Entry) -> bool:
    """Whether a row's record was found by comparison alone, so that it may be that of a twin."""
    if entry.state != "succeeded" or entry.status_code is not None or entry.action != "create":
        return False
    lookup = decode(entry.lookup)
    return lookup is not None and lookup.kind == "list"


def clock_difference(server_time: datetime | None, now: datetime) -> timedelta:
    """How far the API's clock is ahead of ours; none where it does not tell the time."""
    return timedelta() if server_time is None else server_time - now
