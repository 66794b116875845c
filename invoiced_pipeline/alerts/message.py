"""The message that an address gets about a connection: one for all that is new."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

from invoiced_pipeline.alerts.incident import Incident, Incidents, Kind
from invoiced_pipeline.alerts.reasons import STATES, explain
from invoiced_pipeline.plurals import counted

Severity = Literal["failure", "info", "success"]
"""`success` if nothing is wrong any more, `info` if something ended and something else is open."""

_HEADINGS: dict[Kind, str] = {
    "load": "Not loaded",
    "part": "Not complete",
    "rejects": "Too many rejects",
    "check": "A check found an error",
    "stale": "Stale",
    "sweep": "Not swept",
    "push": "Write-back failed",
    "rows": "Rows need a person",
}

_SHORT: dict[Kind, str] = {
    "load": "not loaded",
    "part": "not complete",
    "rejects": "too many rejects",
    "check": "a check",
    "stale": "stale",
    "sweep": "not swept",
    "push": "write-back failed",
    "rows": "rows",
}


@dataclass(frozen=True, slots=True)
class Message:
    """A message.

    Attributes:
        title: The same for all messages of a connection, so that services can group them.
        body: Plain text: paragraphs of lines.
        severity: How bad it is.
    """

    title: str
    body: str
    severity: Severity


def message_title(connection: str) -> str:
    """Returns the title of all messages about a connection."""
    return f"invoiced_pipeline: {connection}"


def message_for(
    address: int, connection: str, incidents: Incidents, *, ui_url: str | None
) -> Message | None:
    """Returns what an address does not know yet about a connection; None if it knows all.

    Args:
        address: Its number.
        connection: The connection's name.
        incidents: The connection's incidents.
        ui_url: Address of Dagster's UI, without a slash at the end.
    """
    news = [each for _, each in sorted(incidents.items()) if each.concerns(address)]
    if not news:
        return None
    begun = [each for each in news if not each.is_over]
    passed = [each for each in news if each.is_over and address in each.pending]
    ended = [each for each in news if each.is_over and address not in each.pending]
    parts = [*_paragraphs(begun, ui_url)]
    if passed:
        parts += [
            "These happened while this address could not be reached, and are over:",
            *_paragraphs(passed, ui_url),
        ]
    if ended:
        parts.append(f"Recovered: {_listed(ended)}.")
    is_open = any(not each.is_over for each in incidents.values())
    if not begun and is_open:
        still = [each for each in incidents.values() if not each.is_over]
        parts.append(f"Still open: {_listed(still)}.")
    severity: Severity = "failure" if begun else "info" if is_open else "success"
    return Message(message_title(connection), "\n\n".join(parts), severity)


def open_text(incidents: Incidents, *, ui_url: str | None) -> str:
    """Returns the text about all incidents that are open; empty if there are none."""
    found = [each for each in incidents.values() if not each.is_over]
    return "\n\n".join(_paragraphs(found, ui_url))


def _paragraphs(incidents: Sequence[Incident], ui_url: str | None) -> Iterator[str]:
    """Yields a paragraph for each kind and reason; subjects with the same are in one."""

    def common(incident: Incident) -> tuple[str, ...]:
        key = incident.key
        state = key.state if key.kind == "rows" else ""
        return key.kind, state, incident.reason, incident.run_id or ""

    for _, group in groupby(sorted(incidents, key=common), common):
        yield "\n".join(_lines(list(group), ui_url))


def _lines(group: Sequence[Incident], ui_url: str | None) -> Iterator[str]:
    first = group[0]
    yield f"{_HEADINGS[first.key.kind]}: {', '.join(map(_subject, group))}."
    yield from _explanation(first)
    if first.run_id is not None:
        yield f"Run: {ui_url}/runs/{first.run_id}" if ui_url else f"Run: {first.run_id}"


def _explanation(incident: Incident) -> Iterator[str]:
    if incident.key.kind == "stale":
        yield f"Why: no run has completed it for more than {incident.reason} hours."
        yield (
            "What to do: check that the schedule is on, that Dagster's daemon runs, and how the "
            "last runs ended: `invoiced-pipeline status`."
        )
    elif incident.key.kind == "rows":
        yield f"What to do: {STATES[incident.key.state]}."
    else:
        reason = explain(incident.reason)
        yield f"Why: {reason.why}"
        yield f"What to do: {reason.to_do}"


def _subject(incident: Incident) -> str:
    key = incident.key
    if key.kind == "rows":
        return f"{key.subject} ({counted(incident.count, 'row')} {key.state})"
    if key.kind == "check":
        return f"{key.subject} ({key.state})"
    if key.kind == "rejects" and incident.count:
        return f"{key.subject} ({counted(incident.count, 'record')})"
    return key.subject


def _listed(incidents: Sequence[Incident]) -> str:
    """Returns subjects and what was wrong: `invoices (not loaded, stale), plans (stale)`."""
    kinds: dict[str, dict[str, None]] = {}
    for each in sorted(incidents, key=lambda incident: incident.key):
        what = f"{each.key.state} rows" if each.key.kind == "rows" else _SHORT[each.key.kind]
        kinds.setdefault(each.key.subject, {})[what] = None
    return ", ".join(f"{subject} ({', '.join(each)})" for subject, each in kinds.items())


TEST_BODY = (
    "This is a test of invoiced_pipeline's alerts: this address receives them. "
    "Nothing is wrong, and there is nothing to do."
)
"""What `alert --test` sends."""
