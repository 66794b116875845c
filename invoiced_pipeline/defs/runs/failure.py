"""The failure of a run: its text for people, and its parts for alerts."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

import dagster as dg

from invoiced_pipeline.replication.failure_list import Failure, reason_of

FAILURES = "failures"
"""Metadata of a failure: subject and reason of each part, without values of records."""

_INTERRUPTIONS = {
    "DagsterExecutionInterruptedError",
    "KeyboardInterrupt",
    "SignalReceivedException",  # dlt's, while it extracts, normalises or loads
}


def run_failure(
    text: str, failures: Iterable[Failure], metadata: Mapping[str, Any] | None = None
) -> dg.Failure:
    """Returns the failure with which an op ends; it is not retried.

    Args:
        text: What happened and what to do, for the run's page and the commands.
        failures: What failed; alerts are made of it.
        metadata: More to show with the failure.
    """
    parts = [
        {
            "subject": each.subject,
            "reason": each.reason,
            "is_table": each.is_table,
            **({} if each.count is None else {"count": each.count}),
        }
        for each in failures
    ]
    shown = {**(metadata or {}), FAILURES: dg.MetadataValue.json(parts)}
    return dg.Failure(text, metadata=shown, allow_retries=False)


def whole_failure(
    error: Exception, *, subject: str = "run", metadata: Mapping[str, Any] | None = None
) -> dg.Failure:
    """Returns the failure of a run that an error ended before any table was done."""
    part = Failure(subject, str(error), is_table=False, reason=reason_of(error))
    return run_failure(str(error), [part], metadata)


def failure_description(event: dg.DagsterEvent) -> str | None:
    """Returns the description of the `Failure` that an op raised.

    Args:
        event: The failure of a step.
    """
    failure = event.step_failure_data.user_failure_data
    return (failure.description or None) if failure else None


@dataclass(frozen=True, slots=True)
class FailedPart:
    """A part of a run that failed.

    Attributes:
        subject: A table, a write-back, or another part such as `deletions`; `run` for all of it.
        reason: The name of the error's class, or another name that alerts explain.
        is_table: Whether the subject is a table.
        count: How many records it is about; 0 if they are not counted.
    """

    subject: str
    reason: str
    is_table: bool = False
    count: int = 0


def failed_parts(event: dg.DagsterEvent) -> list[FailedPart]:
    """Returns what failed in a run, from the failure of its step; empty if it was interrupted."""
    data = event.step_failure_data
    if data.error is not None and is_interruption(data.error):
        return []
    metadata = data.user_failure_data.metadata if data.user_failure_data else {}
    found = metadata.get(FAILURES)
    if found is None:  # an unexpected error, or a run of an older version
        return [FailedPart("run", data.error.cls_name or "" if data.error else "")]
    return [
        FailedPart(
            str(each["subject"]),
            str(each["reason"] or ""),
            is_table=bool(each["is_table"]),
            count=int(each.get("count") or 0),
        )
        for each in cast("Sequence[Mapping[str, Any]]", found.value)
    ]


def is_interruption(error: Any) -> bool:
    """Returns whether a serialized error goes back to Ctrl-C, SIGTERM or a cancellation."""
    return innermost(error).cls_name in _INTERRUPTIONS


def innermost(error: Any) -> Any:
    """Returns the first cause of a serialized error."""
    while error.cause:
        error = error.cause
    return error
