"""What became of a request whose answer is missing: decided by what is known, never guessed.

The API keeps its answer under the idempotency key for a day, answers of 5xx among them, and has no
lock on a key in flight: two requests under one key are both carried out while they overlap
(observed behaviour). So a key is used again only when the record is not there, the first request
can no longer be running, and the stored answer cannot be a failure or forgotten.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from invoiced_pipeline.writeback.ledger.ledger import Entry
from invoiced_pipeline.writeback.recovery.lookup import Found

AFTERWARDS = timedelta(seconds=60)
"""How long a request may go on after its client has given up (the API frees the places of requests
in flight after 60 s; observed behaviour)."""

KEY_LIFETIME = timedelta(hours=23)
"""How long a key is used again: the API keeps it for 24 hours, by its own clock."""

Verdict = Literal["succeeded", "taken", "not_done", "wait", "unknown"]
"""`succeeded`: it was carried out. `taken`: it cannot have been, for another record has its number.
`not_done`: it was not, and no longer will be. `wait`: it may still be. `unknown`: it cannot be
established; a person has to look."""


def judge(entry: Entry, found: Found | None, now: datetime) -> Verdict:
    """What became of an entry's last request.

    Args:
        entry: In state `sent`.
        found: What the look-up saw; None where there is no way to look.
        now: The present instant, UTC.
    """
    if found is None or not found.certain:
        return "unknown"
    if found.done:
        return "succeeded"
    if entry.may_run_until is not None and now < entry.may_run_until:
        return "wait"
    if found.taken:
        return "taken"
    if found.doubtful:
        # A number is unique, so that the key's own answer tells and nothing can be doubled.
        return "not_done" if _has_answer(entry, now) else "unknown"
    return "not_done"


def may_replay(entry: Entry, payload_hash: str, api_key: str, now: datetime) -> bool:
    """Whether a request that was not carried out may go again under its key.

    Args:
        entry: What the ledger holds of the row.
        payload_hash: Of what is to be sent now.
        api_key: Fingerprint of the API key in use: idempotency keys belong to it.
        now: The present instant, UTC.
    """
    return (
        entry.state == "planned"
        and _has_answer(entry, now)
        and entry.payload_hash == payload_hash
        and entry.api_key == api_key
    )


def _has_answer(entry: Entry, now: datetime) -> bool:
    """Whether the entry's key may still bring the answer of its request, if there was one."""
    is_failure = entry.status_code is not None and entry.status_code >= 300
    return (
        entry.idempotency_key is not None
        and entry.key_sent_at is not None
        and now - entry.key_sent_at < KEY_LIFETIME
        and not is_failure
    )


def settled(entry: Entry, verdict: Verdict, run_id: str) -> Entry:
    """The entry once a verdict other than `wait` was found; a success has its own details."""
    entry = replace(entry, run_id=run_id, may_run_until=None)
    match verdict:
        case "taken":
            return replace(
                entry,
                state="rejected",
                error="Its answer was lost, and the number belongs to another record",
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
                    f"{entry.error or 'The process ended before the answer came'}. Whether it was "
                    "carried out cannot be established: look for the record in Invoiced, then "
                    "retry this record key if it is not there"
                ),
            )
        case _:
            return entry
