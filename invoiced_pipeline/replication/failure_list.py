"""What failed in a run, as text for people: equal errors of several tables are one line."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from invoiced_pipeline.exceptions import ApiError
from invoiced_pipeline.plurals import counted


@dataclass(frozen=True, slots=True)
class Failure:
    """Why one table, or another part of a run, failed.

    Attributes:
        subject: What failed: a table, or e.g. `deletions`.
        error: The full error.
        cause: The error in words that others which failed alike share; None if it is its own.
        is_table: Whether the subject is a table.
        reason: The name of the error's class: alerts explain it without the error's text.
        count: How many records it is about.
    """

    subject: str
    error: str
    cause: str | None = None
    is_table: bool = True
    reason: str | None = None
    count: int | None = None


def cause_of(error: Exception) -> str | None:
    """Returns the words that equal errors of other tables share; None if there are none."""
    return error.cause if isinstance(error, ApiError) else None


def reason_of(error: Exception) -> str:
    """Returns the name of the error's class, which shows no value of any record."""
    return type(error).__name__


def failure_lines(failures: Iterable[Failure], *, of: int = 0) -> list[str]:
    """Returns one line per error: `9 tables: the API answers 503 (8 tries each); try again later`.

    A line names its tables, unless they are all tables of the run.

    Args:
        failures: What failed.
        of: How many tables the run has.
    """
    groups: dict[str, list[Failure]] = {}
    for failure in failures:
        key = failure.cause or f"{failure.subject}: {failure.error}"
        groups.setdefault(key, []).append(failure)
    return [_line(group, has_others=len(groups) > 1, of=of) for group in groups.values()]


def under_headings(parts: Sequence[tuple[str, Sequence[str]]]) -> str:
    """Returns lines under their headings; a heading and a single line share one line.

    Args:
        parts: Headings such as `not complete`, with their lines; a heading without lines is left
            out.
    """
    return "\n".join(
        f"{heading}: {lines[0]}" if len(lines) == 1 else "\n  ".join((f"{heading}:", *lines))
        for heading, lines in parts
        if lines
    )


def _line(group: Sequence[Failure], *, has_others: bool, of: int) -> str:
    if len(group) == 1:
        return f"{group[0].subject}: {group[0].error}"
    tables = [failure.subject for failure in group if failure.is_table]
    subjects = [failure.subject for failure in group if not failure.is_table]
    if len(tables) == 1:
        subjects += tables
    elif tables:
        names = f" ({', '.join(tables)})" if has_others or len(tables) < of else ""
        subjects.append(f"{counted(len(tables), 'table')}{names}")
    return f"{' and '.join(subjects)}: {group[0].cause}"
