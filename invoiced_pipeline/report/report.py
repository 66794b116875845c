"""The report's contents: sections of exhibits, read from the warehouse."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.models.project import END_MODELS, models_schema
from invoiced_pipeline.report.exhibit import Exhibit
from invoiced_pipeline.report.extractions.exceptions import rejects_and_deletions, skipped_starts
from invoiced_pipeline.report.extractions.period import Period
from invoiced_pipeline.report.extractions.runs import latest_runs, read_runs, runs_by_day
from invoiced_pipeline.report.extractions.tables import freshness, rows_by_table
from invoiced_pipeline.report.formats import day
from invoiced_pipeline.report.receivables.aging import aging, aging_today
from invoiced_pipeline.report.receivables.cash import cash_by_method
from invoiced_pipeline.report.receivables.collection import (
    collection_effectiveness,
    days_to_collect,
)
from invoiced_pipeline.report.receivables.expected_cash import expected_cash
from invoiced_pipeline.report.receivables.overdue import overdue_customers
from invoiced_pipeline.report.receivables.recurring_revenue import mrr_movements
from invoiced_pipeline.report.receivables.scope import Scope, as_of, scopes
from invoiced_pipeline.warehouse.database import Database

HOW_TO_TURN_ON = (
    "Receivables, cash and recurring revenue come from the dbt models, which are not built yet. "
    "Set enabled = true under [models] in the settings file, then run the job {job} or the next "
    "sync; pip install 'invoiced-pipeline[models]' brings dbt."
)
NOTHING_YET = (
    "The models are built, and the account has no invoices, payments or subscriptions in them yet."
)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report.

    Attributes:
        name: Its anchor; unique.
        title: Its heading.
        exhibits: Its exhibits.
        note: Shown above them.
    """

    name: str
    title: str
    exhibits: Sequence[Exhibit]
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """All that the report shows.

    Attributes:
        connection: Name of the connection.
        made_at: When it was read (UTC).
        as_of: The last day that the models describe; None without models.
        start: The start date: documents that have not changed since before it are missing.
        receivables: The models' sections: an overview, then one for each currency.
        pipeline: The section about the pipeline.
    """

    connection: str
    made_at: datetime
    as_of: date | None
    start: date
    receivables: Sequence[Section]
    pipeline: Section


def read_report(
    database: Database, dataset: str, connection: str, start: date, now: datetime
) -> Report:
    """Reads the report's figures; nothing is written.

    Args:
        database: The warehouse.
        dataset: The schema of the tables.
        connection: Name of the connection.
        start: Its start date.
        now: The instant (UTC) of the report.

    Raises:
        WarehouseBusyError: Another program has the file open, such as a run that writes.
        WarehouseError: The warehouse cannot be read, or has no runs yet.
    """
    with database.session(dataset, read_only=True) as session:
        if not {"_sync_log", "_sync_usage", "_sync_freshness"} <= session.tables():
            message = f"{database.label} holds no runs of {dataset} yet: invoiced-pipeline sync"
            raise WarehouseError(message)
        pipeline = _pipeline(Period(session, now))
    with database.session(models_schema(dataset), read_only=True) as session:
        is_built = session.tables() >= set(END_MODELS)
        last_day = as_of(session, now.date()) if is_built else None
        found = scopes(session, last_day) if last_day else []
        receivables = _receivables(found) if is_built else [_not_built(dataset)]
    return Report(
        connection=connection,
        made_at=now,
        as_of=last_day,
        start=start,
        receivables=receivables,
        pipeline=pipeline,
    )


def currency_exhibits(scope: Scope) -> list[Exhibit]:
    """Returns all exhibits of a currency that have something to show."""
    found = (
        aging(scope),
        overdue_customers(scope),
        expected_cash(scope),
        days_to_collect(scope),
        collection_effectiveness(scope),
        cash_by_method(scope),
        mrr_movements(scope),
    )
    return [each for each in found if each is not None]


def _receivables(found: Sequence[Scope]) -> list[Section]:
    if not found:
        return [Section("receivables", "Receivables", [], NOTHING_YET)]
    overview = Section("receivables", f"Receivables on {day(found[0].as_of)}", [aging_today(found)])
    return [
        overview,
        *(
            Section(
                f"receivables_{each.currency}",
                f"Receivables in {each.code}",
                currency_exhibits(each),
            )
            for each in found
        ),
    ]


def _not_built(dataset: str) -> Section:
    return Section(
        "receivables", "Receivables", [], HOW_TO_TURN_ON.format(job=models_schema(dataset))
    )


def _pipeline(period: Period) -> Section:
    runs = read_runs(period)
    exhibits = [
        freshness(period),
        runs_by_day(period, runs),
        rows_by_table(period),
        rejects_and_deletions(period),
        skipped_starts(period),
        latest_runs(runs),
    ]
    return Section("pipeline", "The pipeline", exhibits)
