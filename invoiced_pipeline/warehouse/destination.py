"""The DuckDB file behind dlt: where it is, whether it can be written, and the pipeline into it."""

import logging
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from invoiced_pipeline.exceptions import WarehouseBusyError, WarehouseNotWritableError

if TYPE_CHECKING:
    import duckdb
    from dlt import Pipeline

    from invoiced_pipeline.warehouse.integrity import Ask


def check_writable(warehouse: Path) -> None:
    """Says whether the file can be written: better to know before an hour of reading.

    An existing file is opened and closed again; where there is none, its folder is tried, so that
    asking leaves nothing behind.

    Raises:
        WarehouseBusyError: Another program has the file open.
        WarehouseNotWritableError: It is no DuckDB file, or may not be written.
    """
    import duckdb

    try:
        if not warehouse.exists():
            folder = next(place for place in warehouse.absolute().parents if place.exists())
            with tempfile.TemporaryFile(dir=folder):
                return
        connection = duckdb.connect(str(warehouse))
        try:
            # A read-only file opens without complaint; only a statement that writes tells.
            connection.execute("create or replace temp table probe as select 1")
            connection.execute("begin; create schema if not exists _probe; rollback")
        finally:
            connection.close()
    except (duckdb.Error, OSError) as error:
        if "Could not set lock" in str(error):
            message = (
                f"Another program has {warehouse} open: {error}. Close it (DuckDB admits one "
                "writing process, and then no reader beside it), then run again"
            )
            raise WarehouseBusyError(message) from error
        message = f"Cannot write {warehouse}: {error}. Check path, permissions and disk space"
        raise WarehouseNotWritableError(message) from error


@contextmanager
def read_only(warehouse: Path) -> "Iterator[duckdb.DuckDBPyConnection]":
    """A short-lived connection for reading; close it before anything writes."""
    import duckdb

    connection = duckdb.connect(str(warehouse), read_only=True)
    try:
        connection.execute("set timezone = 'UTC'")
        yield connection
    finally:
        connection.close()


def build_pipeline(warehouse: Path, dataset: str) -> "Pipeline":
    """The dlt pipeline that loads `dataset`; its name is a function of the dataset.

    Coverage and schema are restored from the destination at every run, so that a warehouse put
    back from a copy goes on from where that copy was.
    """
    import dlt

    from invoiced_pipeline.warehouse.loading import DuckDbPipeline
    from invoiced_pipeline.warehouse.qualified_duckdb import QualifiedDuckDb

    dlt.config["runtime.dlthub_telemetry"] = False
    dlt.config["normalize.parquet_normalizer.add_dlt_load_id"] = True
    # Copies of the last load would stay behind: twice the disk, and records nobody looks after.
    dlt.config["load.delete_completed_jobs"] = True
    dlt.config["load.truncate_staging_dataset"] = True
    pipeline = dlt.pipeline(
        pipeline_name=f"invoiced_{dataset}",
        pipelines_dir=str(warehouse.resolve().with_name(f"{warehouse.name}.dlt")),
        destination=QualifiedDuckDb(str(warehouse), destination_name="duckdb"),
        dataset_name=dataset,
        _impl_cls=DuckDbPipeline,
    )
    # Arrow's own types stand beside the declared ones on purpose; dlt warns at every batch.
    logging.getLogger("dlt").setLevel(logging.ERROR)
    return pipeline


def remembered_state(pipeline: "Pipeline", warehouse: Path, source: str) -> dict[str, Any]:
    """What the dataset remembers for a source, as last committed; empty for a new dataset.

    Raises:
        WarehouseError: The destination cannot be read.
    """
    from dlt.pipeline.exceptions import PipelineStepFailed

    from invoiced_pipeline.warehouse.failures import load_error

    try:
        pipeline.drop()
        pipeline.sync_destination()
    except PipelineStepFailed as error:
        raise load_error(error, warehouse) from error
    return dict(pipeline.state.get("sources", {}).get(source, {}))


def row_counts(warehouse: Path, dataset: str, tables: list[str]) -> dict[str, int]:
    """Rows per table; 0 for a table that does not exist yet."""
    counts = dict.fromkeys(tables, 0)
    if not warehouse.exists():
        return counts
    with read_only(warehouse) as connection:
        existing = connection.execute(
            "select table_name from information_schema.tables where table_schema = ?", [dataset]
        ).fetchall()
        names = {name for (name,) in existing}.intersection(tables)
        if names:
            use_dataset(connection, dataset)
        for table in names:
            counts[table] = connection.table(table).count("*").fetchall()[0][0]
    return counts


@contextmanager
def asking(warehouse: Path, dataset: str) -> "Iterator[Ask]":
    """A short-lived read-only connection for questions in standard SQL to `dataset`."""
    with read_only(warehouse) as connection:
        use_dataset(connection, dataset)

        def ask(sql: str, *values: Any) -> tuple[Any, ...]:
            row = connection.execute(sql.replace("%s", "?"), values).fetchone()
            return row or ()

        yield ask


def use_dataset(connection: "duckdb.DuckDBPyConnection", dataset: str) -> None:
    """Lets names without a schema mean tables of `dataset`.

    The schema alone would be ambiguous where the file is called like it.
    """
    row = connection.execute("select current_database()").fetchone()
    catalog = str(row[0] if row else "").replace('"', '""')
    connection.execute(f'use "{catalog}"."{dataset}"')
