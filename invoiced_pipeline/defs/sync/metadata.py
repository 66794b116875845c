"""A table's report as the metadata of its materialization.

A run over many partitions records a materialization for each. Only the last one has the run's
figures, so that a plot has one point per run. Dagster's UI plots every number: what would be a flat
line is text.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from invoiced_pipeline.replication.report import TableReport

COVERED_SINCE = "covered_since"
COVERED_UNTIL = "covered_until"
COVERED_WINDOWS = "covered_windows"
"""How many windows the coverage has, if there are several: there are gaps between them."""

PROBLEM = "problem"
"""Why a person should look at a loaded table."""

GAPS = "not_in_all_rows"
"""Columns and arrays that some rows were loaded without."""

WARNING = "warning"

ROW_COUNT = "dagster/row_count"
"""Rows of the whole table; recorded by runs that read or compared all of it."""

ROWS_LOADED = "rows_loaded"
ROWS_REJECTED = "rows_rejected"

_ROWS = "rows_in_table"
_NOTHING_NEW = "nothing_new"
"""The figures of a run that found nothing new: shown, but not plotted."""


def run_metadata(
    report: TableReport,
    rows: int,
    stages: Mapping[str, float],
    *,
    problem: str | None = None,
) -> Mapping[str, Any]:
    """Returns what a run did to a table, and the table's coverage, which ticks read.

    Args:
        report: The run's counts.
        rows: Rows of the table after the run.
        stages: Seconds of the run's stages, for all its tables together.
        problem: Why a person should look at the table although it is loaded.
    """
    figures = _figures(report, stages)
    metadata: dict[str, Any] = {
        **({_NOTHING_NEW: dg.MetadataValue.json(figures)} if is_idle(report) else figures),
        _ROWS: str(rows),
        "mode": report.mode,
        "window": ", ".join(map(str, report.windows)) or "nothing",
        "coverage": str(report.coverage),
    }
    if problem:
        metadata[PROBLEM] = problem
    if report.gaps:
        metadata[GAPS] = gaps_text(report)
    if report.warning:
        metadata[WARNING] = report.warning
    if report.coverage.since and report.coverage.until:
        metadata[COVERED_SINCE] = dg.MetadataValue.timestamp(report.coverage.since)
        metadata[COVERED_UNTIL] = dg.MetadataValue.timestamp(report.coverage.until)
        if len(report.coverage.windows) > 1:
            metadata[COVERED_WINDOWS] = len(report.coverage.windows)
    if report.periods:
        metadata["rows_by_partition"] = dg.MetadataValue.json(dict(sorted(report.periods.items())))
    return metadata


def is_idle(report: TableReport) -> bool:
    """Returns whether a sync found nothing new in a table."""
    return report.mode == "sync" and not (report.rows or report.deleted or report.rejected)


def gaps_text(report: TableReport) -> str:
    """Returns the columns and arrays that some rows were loaded without; empty without any."""
    return ", ".join(sorted(report.gaps))


def plain_metadata(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the metadata of a materialization or observation as plain values.

    It holds the same names for a run that found nothing new as for others.
    """
    found: dict[str, Any] = {
        name: getattr(value, "value", value) for name, value in metadata.items()
    }
    found |= found.pop(_NOTHING_NEW, {})
    if _ROWS in found:
        found[ROW_COUNT] = int(found.pop(_ROWS))
    if COVERED_UNTIL in found:
        found.setdefault(COVERED_WINDOWS, 1)
    return found


def _figures(report: TableReport, stages: Mapping[str, float]) -> dict[str, Any]:
    return {
        ROWS_LOADED: report.rows,
        "deleted_rows": report.deleted,
        ROWS_REJECTED: report.rejected,
        "pages": report.pages,
        "requests": report.tally.requests,
        "retries": report.tally.retries,
        "wait_seconds": round(report.tally.wait_seconds, 3),
        "seconds": round(report.seconds, 3),
        "typing_seconds": round(report.typing_seconds, 3),
        **{f"{stage}_seconds": round(seconds, 3) for stage, seconds in stages.items()},
    }
