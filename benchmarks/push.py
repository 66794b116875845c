"""Creates customers from a CSV file by write-back: `python -m benchmarks.push URL KEY FILE`.

Does everything the Dagster op does, without Dagster: the writer's lock, plan, ledger, answers and
replica. Prints the seconds as JSON.
"""

import importlib
import json
import sys
import time

from pydantic import SecretStr

from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.settings import Settings
from invoiced_pipeline.warehouse.open import open_database
from invoiced_pipeline.writeback.push.context import PushContext, PushOptions
from invoiced_pipeline.writeback.run import push_writeback

_LATE = (
    "dlt.sources.helpers.requests",
    "duckdb",
    "invoiced_pipeline.replication.source",
    "invoiced_pipeline.warehouse.duckdb.database",
    "invoiced_pipeline.warehouse.duckdb.destination",
    "pyarrow.compute",
    "pyarrow.parquet",
    "sqlalchemy",
)
"""Modules that are imported late; Dagster has loaded most of them before a run begins."""


def push(settings: Settings, key: SecretStr) -> str | None:
    """Pushes the only write-back of the settings; returns the reason if it fails."""
    connection, (writeback,) = settings.first, settings.writeback
    database = open_database(settings.warehouse)
    client = InvoicedClient(connection.base_url, key)
    context = PushContext(
        client=client, api_key=key, connection=connection, database=database, run_id="bench"
    )
    try:
        with database.writer_lock(connection.dataset, "bench"):
            (report,) = push_writeback(settings, writeback.name, context, PushOptions())
    finally:
        client.close()
    return report.failure or "; ".join(report.notes) or None


def main() -> None:
    """Pushes the customers of the file named on the command line."""
    url, key, path = sys.argv[1:]
    writeback = {"name": "new_customers", "operation": "create_customer", "source": path}
    options = {"key": "ext_id", "exclude": ["ext_id"], "active": True}
    settings = Settings.model_validate(
        {
            "warehouse": {"path": "warehouse.duckdb"},
            "connection": [{"api_url": url}],
            "writeback": [writeback | options],
        }
    )
    for name in _LATE:
        importlib.import_module(name)
    began, cpu = time.monotonic(), time.process_time()
    if problem := push(settings, SecretStr(key)):
        sys.exit(problem)
    seconds, cpu_seconds = time.monotonic() - began, time.process_time() - cpu
    sys.stdout.write(json.dumps({"seconds": seconds, "cpu_seconds": cpu_seconds}))


if __name__ == "__main__":
    main()
