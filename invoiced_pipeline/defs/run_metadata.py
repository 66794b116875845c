"""A table's report as the metadata of its materialisation."""

from collections.abc import Mapping
from typing import Any

import dagster as dg

from invoiced_pipeline.replication.report import TableReport

COVERED_SINCE = "covered_since"
COVERED_UNTIL = "covered_until"
COVERED_WINDOWS = "covered_windows"
"""How many windows the coverage consists of: more than one means gaps in between."""

PROBLEM = "problem"
"""Why a person should look at a table although it is loaded."""


def report_metadata(
    report: TableReport,
    row_count: int,
    stages: Mapping[str, float],
    *,
    problem: str | None = None,
) -> Mapping[str, Any]:
    """Counts of one table in one run; a run over many partitions shows them on each.

    Args:
        report: The counts.
        row_count: Rows in the warehouse's table after the run.
        stages: Seconds of the run's stages, of all its tables together.
        problem: Why a person should look although all is loaded.
    """
    metadata: dict[str, Any] = {
        "dagster/row_count": row_count,
        "rows_loaded": report.rows,
        "deleted_rows": report.deleted,
        "rows_rejected": report.rejected,
        "mode": report.mode,
        "window": ", ".join(map(str, report.windows)) or "nothing",
        "coverage": str(report.coverage),
        "pages": report.pages,
        "requests": report.tally.requests,
        "retries": report.tally.retries,
        "wait_seconds": round(report.tally.wait_seconds, 3),
        "seconds": round(report.seconds, 3),
        "typing_seconds": round(report.typing_seconds, 3),
        **{f"{stage}_seconds": round(seconds, 3) for stage, seconds in stages.items()},
    }
    if problem:
        metadata[PROBLEM] = problem
    if report.gaps:
        metadata["not_in_all_rows"] = ", ".join(sorted(report.gaps))
    if report.warning:
        metadata["warning"] = report.warning
    if report.coverage.since and report.coverage.until:
        metadata[COVERED_SINCE] = dg.MetadataValue.timestamp(report.coverage.since)
        metadata[COVERED_WINDOWS] = len(report.coverage.windows)
        metadata[COVERED_UNTIL] = dg.MetadataValue.timestamp(report.coverage.until)
    if report.periods:
        metadata["rows_by_partition"] = dg.MetadataValue.json(dict(sorted(report.periods.items())))
    return metadata


def partition_metadata(
    report: TableReport, partition: str, *, is_newest: bool
) -> Mapping[str, Any]:
    """What a run loaded of one partition; a sync loads what changed, not all that is there.

    Args:
        report: The counts.
        partition: Key of the partition.
        is_newest: Whether it is the run's last one, which takes records without `updated_at`.
    """
    rows = report.periods[partition]
    if is_newest:
        rows += report.rows - report.periods.total()
    whole = {} if report.mode == "sync" else {"dagster/partition_row_count": rows}
    return {"rows": rows, **whole}
