"""Post-load checks and problems, per table."""

import logging
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Protocol

import dagster as dg

from invoiced_pipeline.alerts.reasons import CHECK_FAILED, REJECTS
from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.replication.api_counts import Counted
from invoiced_pipeline.replication.checks import (
    Finding,
    TableChecks,
    freshness_bound,
)
from invoiced_pipeline.replication.failure_list import Failure, failure_lines, under_headings
from invoiced_pipeline.replication.report import TableReport
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.settings import ConnectionSettings
from invoiced_pipeline.warehouse.check_memory import (
    TableMemory,
    loads_after,
    note_failed,
    read_memories,
    write_memories,
)
from invoiced_pipeline.warehouse.database import Database, Session
from invoiced_pipeline.warehouse.integrity import Integrity
from invoiced_pipeline.windows import Coverage

logger = logging.getLogger(__name__)

_WHOLE_EVERY = timedelta(days=7)
"""How often all rows are checked if no sweep and no full refresh does it."""

_REMEMBERED = {"primary_key", "foreign_keys", "balance"}
"""Checks of rows; the others look at what the run read."""


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

    It looks at the rows that changed since the last audit, and at all rows after a full refresh or
    a sweep, and once a week.

    Attributes:
        rows: Rows in the warehouse, by complete table.
        findings: Results of the checks, by table; empty for a table that is not complete.
        memories: What the next audit needs to know, by complete table.
        counted: Tables whose rows were known before the run.
    """

    def __init__(  # noqa: PLR0913 - what an audit looks at, and how closely
        self,
        database: Database,
        connection: ConnectionSettings,
        audited: Audited,
        counted: Mapping[str, Sequence[Counted]],
        *,
        loads: Collection[str] = (),
        whole: bool | None = None,
    ) -> None:
        """Evaluates the checks.

        Args:
            database: The warehouse; the caller holds the writer's lock.
            connection: The connection of the tables.
            audited: What was read.
            counted: The API's counts, by table.
            loads: The run's loads (dlt's ids).
            whole: Whether to look at all rows; by default, at those of tables that were read whole.
        """
        self._reports = audited.reports
        self._loads = set(loads)
        self._whole = whole
        self._database = database
        self._dataset = connection.dataset
        self._unchecked: str | None = None
        self._before: dict[str, TableMemory] = {}
        self.findings: dict[str, list[Finding]] = {name: [] for name in self._reports}
        self.rows: dict[str, int] = {}
        self.memories: dict[str, TableMemory] = {}
        self.counted: set[str] = set()
        if not self.complete:
            return
        with database.session(connection.dataset, read_only=True) as session:
            try:
                self._check(session, connection, audited, counted)
            except (
                Exception
            ) as error:  # the load is done: its results must be recorded all the same
                logger.exception("the checks could not be evaluated")
                self._unchecked = f"the checks could not be evaluated: {error}"
            for report in self.complete:
                if report.table not in self.rows:
                    self.rows[report.table] = _count(session, report.table)

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

    def is_settled(self, table: str) -> bool:
        """Returns whether no check of a table failed, now or before, and its rows were known."""
        before = self._before.get(table)
        passed = before is not None and before.passed and table in self.counted
        return passed and all(finding.passed for finding in self.findings[table])

    def checked_at(self, table: str) -> dict[str, dg.MetadataValue]:
        """Returns when all rows of a table were last checked, as metadata of its results."""
        memory = self.memories.get(table)
        if memory is None:
            return {}
        return {"all_rows_checked_at": dg.MetadataValue.timestamp(memory.whole_at)}

    def remember(self) -> None:
        """Writes what the next audit needs to know, if it has changed.

        The audit stands without it: the next one then looks at more rows.
        """
        changed = [each for each in self.memories.values() if each != self._before.get(each.table)]
        if not changed:
            return
        try:
            write_memories(self._database, self._dataset, changed)
        except WarehouseError as error:
            logger.warning("The results of the checks were not kept: %s", error)

    def note_failed(self) -> None:
        """Has the next sync record the checks that failed, although it may find nothing new.

        Raises:
            WarehouseError: The warehouse cannot be written.
        """
        failed = [name for name, found in self.findings.items() if not all(f.passed for f in found)]
        if failed:
            with self._database.session(self._dataset) as session:
                note_failed(session, failed)

    def _check(
        self,
        session: Session,
        connection: ConnectionSettings,
        audited: Audited,
        counted: Mapping[str, Sequence[Counted]],
    ) -> None:
        complete = {report.table for report in self.complete}
        now = datetime.now(UTC)
        fresh_since = freshness_bound(now, connection.warn_after_hours)
        covered = {name: report.coverage for name, report in self._reports.items()}
        gaps = dict(audited.gaps) | {name: report.gaps for name, report in self._reports.items()}
        integrity = Integrity(session, {**audited.coverages, **covered}, gaps)
        self._before = read_memories(session)
        known = [self._before[name].through if name in self._before else "" for name in complete]
        loads = loads_after(session, min(known))
        for table in audited.request.tables:
            if table.name not in complete:
                continue
            report, memory = self._reports[table.name], self._before.get(table.name)
            if memory is not None and self._is_whole(report, memory, now):
                memory = None
            later = [load for load in loads if memory is None or load > memory.through]
            if self._is_counted(session, table.name, later):
                self.counted.add(table.name)
            rows = None if memory is None else self._row_count(session, report, memory)
            checks = TableChecks(table, integrity, memory, rows=rows, is_changed=bool(later))
            counts = counted.get(table.name, ())
            self.findings[table.name] += checks.findings(report, counts, fresh_since=fresh_since)
            self._note(table.name, memory, later, now)

    def _is_whole(self, report: TableReport, memory: TableMemory, now: datetime) -> bool:
        if self._whole is not None:
            return self._whole
        return report.mode == "full" or now - memory.whole_at >= _WHOLE_EVERY

    def _is_counted(self, session: Session, table: str, later: Sequence[str]) -> bool:
        """Returns whether the remembered counts of a table are those before this run."""
        before = self._before.get(table)
        if before is None or before.rows is None:
            return False
        others = [each for each in later if each > before.through and each not in self._loads]
        if not others:
            return True
        places = ", ".join(["%s"] * len(others))
        sql = f'select 1 from "{table}" where _dlt_load_id in ({places}) limit 1'  # noqa: S608
        return not session.rows(sql, others)

    def _row_count(self, session: Session, report: TableReport, memory: TableMemory) -> int:
        """Returns a table's rows: those before the run and its new ones, or else a count."""
        new = report.new_rows
        if memory.rows is not None and new is not None and report.table in self.counted:
            return memory.rows + new
        return _count(session, report.table)

    def _note(
        self, table: str, memory: TableMemory | None, later: Sequence[str], now: datetime
    ) -> None:
        found = {each.check: each for each in self.findings[table]}
        self.rows[table] = found["primary_key"].counts["rows"]
        before = self._before.get(table)
        # A run of checks alone does not count by partition: the next sync does.
        is_counted = self._whole is None or table in self.counted
        self.memories[table] = TableMemory(
            table=table,
            through=max([*later, before.through if before else ""]),
            rows=self.rows[table] if is_counted else None,
            partitions=before.partitions if before else None,
            checks={check: found[check].memory for check in _REMEMBERED & found.keys()},
            passed=all(finding.passed for finding in found.values()),
            whole_at=memory.whole_at if memory else now,
        )


def _count(session: Session, table: str) -> int:
    if table not in session.tables():
        return 0
    ((rows,),) = session.rows(f'select count(*) from "{table}"')  # noqa: S608 - our own name
    return rows
