"""Post-load checks and problems, per table."""

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Protocol

from invoiced_pipeline.alerts.reasons import CHECK_FAILED, REJECTS
from invoiced_pipeline.replication.api_counts import Counted
from invoiced_pipeline.replication.checks import Finding, findings, freshness_bound
from invoiced_pipeline.replication.failure_list import Failure, failure_lines, under_headings
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.settings import ConnectionSettings
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.dataset import row_counts
from invoiced_pipeline.warehouse.integrity import Integrity
from invoiced_pipeline.windows import Coverage

logger = logging.getLogger(__name__)


class Audited(Protocol):
    """What an audit looks at: a replication that has ended, or the loaded tables of a dataset."""

    @property
    def request(self) -> ReplicationRequest:
        """Names the tables."""
        ...

    @property
    def reports(self) -> Mapping[str, TableReport]:
        """Counts, coverage and errors, by table."""
        ...

    @property
    def coverages(self) -> Mapping[str, Coverage]:
        """Coverage of every table of the dataset, also of those not in the request."""
        ...

    @property
    def gaps(self) -> Mapping[str, frozenset[str]]:
        """Columns and arrays that earlier rows were loaded without, by table."""
        ...


class Audit:
    """Evaluates the checks of complete tables and counts their rows.

    Attributes:
        rows: Rows in the warehouse, by complete table.
        findings: Results of the checks, by table; empty for a table that is not complete.
    """

    def __init__(
        self,
        database: Database,
        connection: ConnectionSettings,
        audited: Audited,
        counted: Mapping[str, Sequence[Counted]],
    ) -> None:
        self._reports = audited.reports
        self._unchecked: str | None = None
        names = list(self._reports)
        self.findings: dict[str, list[Finding]] = {name: [] for name in names}
        try:
            self._check(database, connection, audited, counted)
        except Exception as error:  # the load is done: its results must be recorded all the same
            logger.exception("the checks could not be evaluated")
            self._unchecked = f"the checks could not be evaluated: {error}"
        # The check of the primary key counts rows: no table is counted twice.
        self.rows = {
            name: finding.counts["rows"]
            for name, found in self.findings.items()
            for finding in found
            if finding.check == "primary_key"
        }
        uncounted = [each.table for each in self.complete if each.table not in self.rows]
        if uncounted:
            self.rows |= row_counts(database, connection.dataset, uncounted)

    @property
    def complete(self) -> list[TableReport]:
        """Returns the reports of the tables that are complete."""
        return [report for report in self._reports.values() if report.is_complete]

    def problems(self, others: Sequence[Failure] = ()) -> str:
        """Returns why the run fails although it loaded; empty if nothing is wrong.

        Args:
            others: Failures besides those in the reports.
        """
        look = [f"{each.subject}: {each.error}" for each in self._all_looks()]
        look += [self._unchecked] if self._unchecked else []
        incomplete = failure_lines([*others, *self._incomplete()], of=len(self._reports))
        return under_headings([("not complete", incomplete), ("loaded, but look", look)])

    def failures(self, others: Sequence[Failure] = ()) -> list[Failure]:
        """Returns what `problems` describes; empty if nothing is wrong."""
        found = [*others, *self._incomplete(), *self._all_looks()]
        if self._unchecked:
            found.append(Failure("checks", self._unchecked, is_table=False))
        return found

    def problem(self, report: TableReport) -> str | None:
        """Returns why a person should look at a complete table; None if nothing is wrong."""
        return "; ".join(each.error for each in self._looks(report)) or None

    def _incomplete(self) -> list[Failure]:
        return [
            Failure(each.table, each.error, each.cause, reason=each.reason, count=each.rejected)
            for each in self._reports.values()
            if each.error
        ]

    def _all_looks(self) -> list[Failure]:
        return [look for report in self.complete for look in self._looks(report)]

    def _looks(self, report: TableReport) -> list[Failure]:
        """Returns why a person should look at a complete table."""
        looks = []
        if report.alarm:
            looks.append(Failure(report.table, report.alarm, reason=REJECTS, count=report.rejected))
        for finding in self.findings[report.table]:
            if finding.is_error and not finding.passed:
                text = f"check {finding.check} failed: {finding.text}"
                looks.append(Failure(report.table, text, reason=CHECK_FAILED))
        return looks

    def _check(
        self,
        database: Database,
        connection: ConnectionSettings,
        audited: Audited,
        counted: Mapping[str, Sequence[Counted]],
    ) -> None:
        complete = {report.table for report in self.complete}
        if not complete:
            return
        fresh_since = freshness_bound(datetime.now(UTC), connection.warn_after_hours)
        covered = {name: report.coverage for name, report in self._reports.items()}
        gaps = dict(audited.gaps) | {name: report.gaps for name, report in self._reports.items()}
        with database.session(connection.dataset, read_only=True) as session:
            integrity = Integrity(session, {**audited.coverages, **covered}, gaps)
            for table in audited.request.tables:
                if table.name in complete:
                    self.findings[table.name] += findings(
                        table,
                        self._reports[table.name],
                        integrity,
                        counted.get(table.name, ()),
                        fresh_since=fresh_since,
                    )
