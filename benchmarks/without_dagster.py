"""Replicates as the Dagster op does, but without Dagster.

`python -m benchmarks.without_dagster TABLES` prints rows and seconds as JSON. Settings come from
the environment and `invoiced.toml`. With `--checked` before the tables, it also does what the op
does around a load: `_sync_log`, the API's counts, all checks.
"""

import importlib
import json
import sys
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.replication.replaced_rows import ReplacedRows
from invoiced_pipeline.replication.replication import Replication
from invoiced_pipeline.replication.replication_load import load_replication
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline.selection.tables import all_tables_of
from invoiced_pipeline.settings import Settings, load_settings
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.deletion_marks import Marks
from invoiced_pipeline.warehouse.dlt_load import Loaded
from invoiced_pipeline.warehouse.open import open_database

if TYPE_CHECKING:
    from dlt import Pipeline

_LATE = (
    "dlt.sources.helpers.requests",
    "duckdb",
    "invoiced_pipeline.warehouse.duckdb.destination",
    "psycopg2",
    "pyarrow.compute",
    "pyarrow.parquet",
    "sqlalchemy",
)
"""Modules that are imported late; Dagster has loaded most of them before a run begins."""

_CHECKS = (
    "invoiced_pipeline.defs.checks.audit",
    "invoiced_pipeline.replication.sync_log_writer",
)


def replicate(
    settings: Settings, tables: list[str], *, checked: bool = False
) -> "tuple[Replication, Pipeline]":
    """Loads what is not covered yet, with log and checks if `checked` is set."""
    connection = settings.first
    every = {table.name: table for table in all_tables_of(connection)}
    request = ReplicationRequest(
        tables=tuple(every[name] for name in tables),
        mode="sync",
        start_date=connection.start_date or datetime.min.replace(tzinfo=UTC),
        overlap=timedelta(minutes=connection.overlap_minutes),
        cadence=connection.partitions,
        connection=connection.name,
        host="localhost",
    )
    client = InvoicedClient(connection.base_url, settings.api_key(connection))
    database = open_database(settings.warehouse)
    database.check_writable()
    marks = Marks(database, connection.dataset, connection.deletions)
    replaced = ReplacedRows(database, connection.dataset) if checked else None
    noted = None if marks.are_ignored else marks
    replication = Replication(client, request, noted, replaced=replaced)
    pipeline = database.pipeline(connection.dataset)
    try:
        if checked:
            _load_and_check(settings, client, replication, pipeline)
        else:
            _load(replication, pipeline, database)
    finally:
        replication.close()
        client.close()
    return replication, pipeline


def _load(replication: Replication, pipeline: "Pipeline", database: Database) -> Loaded:
    pipeline.drop()
    return load_replication(replication, pipeline, database)


def _load_and_check(
    settings: Settings, client: InvoicedClient, replication: Replication, pipeline: "Pipeline"
) -> None:
    from invoiced_pipeline.defs.checks.audit import Audit
    from invoiced_pipeline.replication.api_counts import api_counts
    from invoiced_pipeline.replication.sync_log_writer import SyncLogWriter

    database = open_database(settings.warehouse)
    log = SyncLogWriter(database, settings.first.dataset, replication.request)
    with log.recording(replication.reports):
        loaded = _load(replication, pipeline, database)
    counted = api_counts(client, replication.request, replication.reports)
    audit = Audit(database, settings.first, replication, counted, loads=loaded.load_ids)
    audit.remember()
    if problems := audit.problems():
        sys.exit(problems)


def stage_seconds(pipeline: "Pipeline") -> dict[str, float]:
    """Returns the seconds of dlt's stages in the last run."""
    stages = {}
    for step in pipeline.last_trace.steps if pipeline.last_trace else ():
        if step.finished_at is not None:
            stages[step.step] = (step.finished_at - step.started_at).total_seconds()
    return stages


def main() -> None:
    """Loads the tables named on the command line."""
    settings = load_settings()
    checked = sys.argv[1] == "--checked"
    for name in (*_LATE, *(_CHECKS if checked else ())):
        importlib.import_module(name)
    began, cpu = time.monotonic(), time.process_time()
    replication, pipeline = replicate(settings, sys.argv[1 + checked :], checked=checked)
    seconds, cpu_seconds = time.monotonic() - began, time.process_time() - cpu
    reports = replication.reports
    if failed := [f"{name}: {report.error}" for name, report in reports.items() if report.error]:
        sys.exit("; ".join(failed))
    measured = {
        "rows": {name: report.rows for name, report in reports.items()},
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "stages": stage_seconds(pipeline),
        "table_seconds": {name: report.seconds for name, report in reports.items()},
        "table_requests": {name: report.tally.requests for name, report in reports.items()},
    }
    sys.stdout.write(json.dumps(measured))


if __name__ == "__main__":
    main()
