"""The outcome of a request whose response is missing: decided by what is known, never guessed.

The API stores its response under the idempotency key for a day, also a 5xx, and does not lock a key
in use: two overlapping requests with one key are both carried out (observed behaviour). So a key is
used again only when the record is not there, the first request can no longer be running, and the
stored response can be neither a failure nor expired.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from invoiced_pipeline.writeback.ledger.ledger import Entry
from invoiced_pipeline.writeback.recovery.lookup_result import LookupResult

REQUEST_AFTERLIFE = timedelta(seconds=60)
"""How long a request may go on after its client gave up: the API frees the slot of a request in
flight after 60 s (observed behaviour)."""

KEY_LIFETIME = timedelta(hours=23)
"""How long a key is used again: the API keeps it for 24 hours, by its own clock."""

Outcome = Literal["succeeded", "taken", "not_done", "wait", "unknown"]
"""`succeeded`: it was carried out. `taken`: it cannot have been, because another record has its
number. `not_done`: it was not, and no longer will be. `wait`: it may still be. `unknown`: it cannot
be established; a person has to look."""


def decide_outcome(entry: Entry, result: LookupResult | None, now: datetime) -> Outcome:
    """Decides the outcome of an entry's last request.

    Args:
        entry: In state `sent`.
        result: What the look-up showed; None where there is nothing to look up.
        now: The current time, UTC.
    """
    if result is None or not result.certain:
        return "unknown"
    if result.done:
        return "succeeded"
    if entry.may_run_until is not None and now < entry.may_run_until:
        return "wait"
    if result.taken:
        return "taken"
    if result.doubtful:
        # A number is unique: sending again under the same key either returns the stored response or
        # is refused, and cannot create a second record.
        return "not_done" if _key_has_response(entry, now) else "unknown"
    return "not_done"


def may_reuse_key(entry: Entry, payload_hash: str, api_key: str, now: datetime) -> bool:
    """Whether a request that was not carried out may be sent again under its idempotency key.

    Args:
        entry: What the ledger holds about the row.
        payload_hash: Hash of what is to be sent now.
        api_key: Fingerprint of the API key in use: idempotency keys belong to it.
        now: The current time, UTC.
    """
    return (
        entry.state == "planned"
        and _key_has_response(entry, now)
        and entry.payload_hash == payload_hash
        and entry.api_key == api_key
    )


def _key_has_response(entry: Entry, now: datetime) -> bool:
    """Whether the entry's key still returns the response to its request, if there was one."""
    is_failure = entry.status_code is not None and entry.status_code >= 300
    return (
        entry.idempotency_key is not None
        and entry.key_sent_at is not None
        and now - entry.key_sent_at < KEY_LIFETIME
        and not is_failure
    )


def entry_with_outcome(entry: Entry, outcome: Outcome, run_id: str) -> Entry:
    """Returns the entry after an outcome other than `succeeded` and `wait` was decided."""
    entry = replace(entry, run_id=run_id, may_run_until=None)
    match outcome:
        case "taken":
            return replace(
                entry,
                state="rejected",
                error="Its response was lost, and another record has its number",
            )
        case "not_done":
            return replace(
                entry,
                state="planned",
                error=f"It was not carried out: {entry.error or 'the process ended'}",
            )
        case "unknown":
            return replace(
                entry,
                state="unknown",
                error=(
                    f"{entry.error or 'The process ended before the response came'}. Whether it "
                    "was carried out cannot be established: look for the record in Invoiced, then "
                    "retry this record key if it is not there"
                ),
            )
        case _:
            return entry
