"""A table's report as the metadata of its materialisation.

A run over many partitions records one materialisation for each. What is of the run stands on the
last of them alone, so that a plot has one point per run. Dagster's UI plots every number that it
finds: what would be a flat line is text.
"""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from invoiced_pipeline.replication.report import TableReport

COVERED_SINCE = "covered_since"
COVERED_UNTIL = "covered_until"
COVERED_WINDOWS = "covered_windows"
"""How many windows the coverage consists of, where there is more than one: gaps in between."""

PROBLEM = "problem"
"""Why a person should look at a table although it is loaded."""

ROW_COUNT = "dagster/row_count"
"""Rows of the whole table: where all of it was read or compared."""

_ROWS = "rows_in_table"
_NOTHING_NEW = "nothing_new"
"""The figures of a run that found nothing: kept for a person who looks, not plotted."""


def run_metadata(
    report: TableReport,
    rows: int,
    stages: Mapping[str, float],
    *,
    problem: str | None = None,
) -> Mapping[str, Any]:
    """What one run did to one table, and what is covered since; ticks read the latter.

    Args:
        report: The counts.
        rows: Rows in the warehouse's table after the run.
        stages: Seconds of the run's stages, of all its tables together.
        problem: Why a person should look although all is loaded.
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
        metadata["not_in_all_rows"] = ", ".join(sorted(report.gaps))
    if report.warning:
        metadata["warning"] = report.warning
    if report.coverage.since and report.coverage.until:
        metadata[COVERED_SINCE] = dg.MetadataValue.timestamp(report.coverage.since)
        metadata[COVERED_UNTIL] = dg.MetadataValue.timestamp(report.coverage.until)
        if len(report.coverage.windows) > 1:
            metadata[COVERED_WINDOWS] = len(report.coverage.windows)
    if report.periods:
        metadata["rows_by_partition"] = dg.MetadataValue.json(dict(sorted(report.periods.items())))
    return metadata


def is_idle(report: TableReport) -> bool:
    """Whether a sync found nothing new in a table."""
    return report.mode == "sync" and not (report.rows or report.deleted or report.rejected)


def plain_metadata(metadata: Mapping[str, dg.MetadataValue]) -> dict[str, Any]:
    """Metadata of a table's last materialisation, or observation, as plain values.

    The figures of a run that found nothing are there like those of others, and so is the number of
    rows in the table.
    """
    found: dict[str, Any] = {name: value.value for name, value in metadata.items()}
    found |= found.pop(_NOTHING_NEW, {})
    if _ROWS in found:
        found[ROW_COUNT] = int(found.pop(_ROWS))
    if COVERED_UNTIL in found:
        found.setdefault(COVERED_WINDOWS, 1)
    return found


def _figures(report: TableReport, stages: Mapping[str, float]) -> dict[str, Any]:
    return {
        "rows_loaded": report.rows,
        "deleted_rows": report.deleted,
        "rows_rejected": report.rejected,
        "pages": report.pages,
        "requests": report.tally.requests,
        "retries": report.tally.retries,
        "wait_seconds": round(report.tally.wait_seconds, 3),
        "seconds": round(report.seconds, 3),
        "typing_seconds": round(report.typing_seconds, 3),
        **{f"{stage}_seconds": round(seconds, 3) for stage, seconds in stages.items()},
    }
