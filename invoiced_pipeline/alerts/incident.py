"""Incidents: what is wrong now, since when, and which addresses know."""

from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, replace
from typing import Literal

Kind = Literal["load", "part", "rejects", "check", "stale", "sweep", "push", "rows"]
"""What is wrong: a table is not loaded (`load`), another part of a sync failed (`part`), too many
rejects, a check found an error, a table is stale, a table was not swept, a write-back failed
(`push`), or rows of it were not carried out (`rows`)."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What an incident is about: the same trouble is one incident, however often it is found.

    Attributes:
        kind: What is wrong.
        subject: The table, the write-back, or the part of the run.
        state: The state of the rows, for `rows`.
    """

    kind: Kind
    subject: str
    state: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What Dagster's records say about one key; no finding means that they say nothing new.

    Attributes:
        key: What it is about.
        at: When that became so (epoch seconds): the end of the run, or now.
        reason: Why it is wrong; None if it is well.
        run_id: The run.
        count: How many rows or records it is about; 0 if they are not counted.
    """

    key: Key
    at: float
    reason: str | None = None
    run_id: str | None = None
    count: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """Something that is wrong, or that is over but not everybody knows.

    Attributes:
        key: What it is about.
        reason: Why.
        at: When it was last found (epoch seconds).
        run_id: The run that found it last.
        count: How many rows or records it is about.
        is_over: Whether it is well again.
        pending: Addresses, by number, to notify of its beginning.
        pending_end: Addresses to notify of its end.
    """

    key: Key
    reason: str
    at: float
    run_id: str | None = None
    count: int = 0
    is_over: bool = False
    pending: frozenset[int] = frozenset()
    pending_end: frozenset[int] = frozenset()

    def concerns(self, address: int) -> bool:
        """Returns whether an address is to be notified of it."""
        return address in self.pending or address in self.pending_end


Incidents = Mapping[Key, Incident]
"""The incidents of one connection."""


def follow(
    incidents: Incidents,
    findings: Iterable[Finding],
    *,
    addresses: Set[int],
    subjects: Set[str],
) -> Incidents:
    """Returns the incidents after some findings.

    Args:
        incidents: The incidents before.
        findings: In any order; older ones than an incident never end it.
        addresses: Numbers of all addresses.
        subjects: What the connection has: incidents of other subjects are dropped, because the
            settings no longer name their table or write-back.
    """
    found = {
        key: replace(
            each, pending=each.pending & addresses, pending_end=each.pending_end & addresses
        )
        for key, each in incidents.items()
        if key.subject in subjects
    }
    for finding in sorted(findings, key=lambda each: each.at):
        before = found.get(finding.key)
        after = _after(before, finding, frozenset(addresses))
        if after is not None:
            found[finding.key] = after
    return _without_forgotten(found)


def mark_notified(incidents: Incidents, address: int) -> Incidents:
    """Returns the incidents once an address knows of all of them."""
    gone = frozenset({address})
    return _without_forgotten(
        {
            key: replace(each, pending=each.pending - gone, pending_end=each.pending_end - gone)
            for key, each in incidents.items()
        }
    )


def _without_forgotten(incidents: Incidents) -> dict[Key, Incident]:
    """Leaves out incidents that are over and that everybody knows to be."""
    return {
        key: each
        for key, each in incidents.items()
        if not each.is_over or each.pending or each.pending_end
    }


def _after(before: Incident | None, finding: Finding, addresses: frozenset[int]) -> Incident | None:
    """Returns the incident after a finding; None if there is none."""
    if finding.reason is None:
        if before is None or before.is_over or finding.at <= before.at:
            return before
        return replace(before, is_over=True, pending_end=addresses)
    if before is not None and finding.at < before.at:
        return before
    if before is None:
        pending = addresses
    elif before.is_over:
        # Who does not know of the end takes it for open already.
        pending = before.pending | (addresses - before.pending_end)
    else:
        # More rows that need a person are a new message; more rejects of a table are not.
        has_more = finding.key.kind == "rows" and finding.count > before.count
        pending = addresses if has_more else before.pending
    return Incident(
        key=finding.key,
        reason=finding.reason,
        at=finding.at,
        run_id=finding.run_id,
        count=finding.count,
        pending=pending,
    )
