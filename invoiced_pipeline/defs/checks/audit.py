"""What there is to say of a run's tables once they are loaded."""

import logging
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from invoiced_pipeline.defs.resources import utc_now
from invoiced_pipeline.settings import ConnectionSettings
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.windows import Coverage

if TYPE_CHECKING:
    from invoiced_pipeline.replication.api_counts import Counted
    from invoiced_pipeline.replication.checks import Finding
    from invoiced_pipeline.replication.failure_list import Failure
    from invoiced_pipeline.replication.report import TableReport
    from invoiced_pipeline.replication.request import ReplicationRequest

logger = logging.getLogger(__name__)


class Audited(Protocol):
    """What an audit is of: a replication that ended, or what a dataset remembers of several."""

    @property
    def request(self) -> "ReplicationRequest":
        """Which tables."""
        ...

    @property
    def reports(self) -> "Mapping[str, TableReport]":
        """What there is to say of each, by name."""
        ...

    @property
    def coverages(self) -> Mapping[str, Coverage]:
        """What the dataset covers of every table, those not asked for included."""
        ...

    @property
    def gaps(self) -> Mapping[str, frozenset[str]]:
        """Columns and arrays that rows of every table were loaded without before."""
        ...


class Audit:
    """Row counts and findings of loaded tables, by table.

    Attributes:
        rows: Rows in the warehouse of every complete table.
        findings: Outcomes of the checks of every complete table.
    """

    def __init__(
        self,
        database: Database,
        connection: ConnectionSettings,
        audited: Audited,
        counted: "Mapping[str, Sequence[Counted]]",
    ) -> None:
        from invoiced_pipeline.warehouse.dataset import row_counts

        self._reports = audited.reports
        self._unchecked: str | None = None
        names = list(self._reports)
        self.findings: dict[str, list[Finding]] = {name: [] for name in names}
        try:
            self._check(database, connection, audited, counted)
        except Exception as error:  # what is loaded is loaded, and its results must be recorded
            logger.exception("the checks could not be evaluated")
            self._unchecked = f"the checks could not be evaluated: {error}"
        # The checks have counted the rows already: no table is read for it again.
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
    def complete(self) -> "list[TableReport]":
        """Reports of the tables that are complete."""
        return [report for report in self._reports.values() if report.is_complete]

    def problems(self, others: "Sequence[Failure]" = ()) -> str:
        """Why the run fails although it went through; empty when all is well.

        Args:
            others: What else is not complete.
        """
        from invoiced_pipeline.replication.failure_list import (
            Failure,
            failure_lines,
            under_headings,
        )

        failed = [
            *others,
            *(
                Failure(report.table, report.error, report.cause)
                for report in self._reports.values()
                if report.error
            ),
        ]
        look = [f"{each.table}: {text}" for each in self.complete for text in self._looks(each)]
        look += [self._unchecked] if self._unchecked else []
        incomplete = failure_lines(failed, of=len(self._reports))
        return under_headings([("not complete", incomplete), ("loaded, but look", look)])

    def problem(self, report: "TableReport") -> str | None:
        """Why a person should look at a table although it is complete; None when all is well."""
        return "; ".join(self._looks(report)) or None

    def _looks(self, report: "TableReport") -> list[str]:
        return ([report.alarm] if report.alarm else []) + [
            f"check {finding.check} failed: {finding.text}"
            for finding in self.findings[report.table]
            if finding.is_error and not finding.passed
        ]

    def _check(
        self,
        database: Database,
        connection: ConnectionSettings,
        audited: Audited,
        counted: "Mapping[str, Sequence[Counted]]",
    ) -> None:
        from invoiced_pipeline.replication.checks import findings, freshness_bound
        from invoiced_pipeline.warehouse.integrity import Integrity

        complete = {report.table for report in self.complete}
        if not complete:
            return
        fresh_since = freshness_bound(utc_now(), connection.warn_after_hours)
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
