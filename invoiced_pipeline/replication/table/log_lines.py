"""Log lines about a table whose part of a run has ended."""

import logging
from collections.abc import Sequence

from invoiced_pipeline.plurals import counted
from invoiced_pipeline.replication.report import TableReport

logger = logging.getLogger(__name__)


def log_table(report: TableReport, new_fields: Sequence[str]) -> None:
    """Logs what became of a table.

    Args:
        report: The table's report.
        new_fields: Fields seen for the first time that have no column.
    """
    if new_fields:
        logger.warning(
            "%s: Invoiced sends fields without a column: %s. They are kept in _extra; this warning "
            "is not repeated",
            report.table,
            ", ".join(new_fields),
        )
    if report.error or report.alarm:
        message = report.error or report.alarm
        logger.error("%s: %s", report.table, message, extra={"report": report})
        return
    if report.unavailable:
        return  # one line for all such tables is logged at the end of the run
    if report.rejected:
        logger.warning(
            "%s: %s no column, kept in _rejected and asked for again in every sync",
            report.table,
            counted(report.rejected, "record fits", "records fit"),
        )
    logger.info(
        "%s: %s in %.1f s, %s",
        report.table,
        counted(report.rows, "row"),
        report.seconds,
        counted(report.tally.requests, "request"),
        extra={"report": report},
    )
