"""dlt's pipeline with a load step that keeps the DuckDB file open and limits its memory.

dlt opens and closes the file for every job, which writes a checkpoint each time, and DuckDB uses up
to four fifths of the machine's memory by default.
"""

import ctypes
import logging
from functools import partial
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pyarrow as pa
from dlt.common.pipeline import LoadInfo
from dlt.pipeline.exceptions import PipelineStepFailed

from invoiced_pipeline.exceptions import WarehouseBusyError, WarehouseNotWritableError
from invoiced_pipeline.settings import STORAGE_VERSION
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.dlt_options import set_dlt_options
from invoiced_pipeline.warehouse.duckdb.connection import busy_message, connect, is_taken
from invoiced_pipeline.warehouse.duckdb.destination import QualifiedDuckDb
from invoiced_pipeline.warehouse.duckdb.load_settings import SETTINGS
from invoiced_pipeline.warehouse.replication_pipeline import ReplicationPipeline

logger = logging.getLogger(__name__)

VACUUM_EVERY = 24
"""Number of loads of a dataset after which DuckDB vacuums the space of replaced rows.

Otherwise it would do so each time it closes a file with replaced rows, and rewrite the last 120,000
rows of a large table: 0.6 s for 1,000 changed invoices of 100,000 (measured with DuckDB 2.0).
"""
_WORKERS = 1
"""Parallel jobs: more need memory and save no time, as two or three tables are most of the work."""


class DuckDbPipeline(ReplicationPipeline):
    """A dlt pipeline into a DuckDB file.

    Attributes:
        storage_version: The format in which a new file is created.
    """

    storage_version: str = STORAGE_VERSION

    def run(self, *arguments: Any, **options: Any) -> LoadInfo:
        """Extracts, normalizes and loads; parameters and errors as in dlt.

        Raises:
            WarehouseBusyError: Another program kept the file open; nothing was read.
            WarehouseNotWritableError: The file does not exist and cannot be created.
        """
        # dlt first looks for its state, and would create the file in DuckDB's newest format.
        file = self.destination.config_params["credentials"]
        if not Path(file).exists():
            try:
                self._opened(file).close()
            except duckdb.Error as error:
                message = f"Cannot create {file}: {error}. Check path, permissions and disk space"
                raise WarehouseNotWritableError(message) from error
        return super().run(*arguments, **options)

    def load(
        self,
        destination: Any = None,
        dataset_name: Any = None,
        credentials: Any = None,
        **_: Any,
    ) -> LoadInfo:
        """Loads the packages that are ready; parameters and errors as in dlt.

        Raises:
            WarehouseBusyError: Another program kept the file open; what was read is not loaded.
        """
        parameters = self.destination.config_params
        file = credentials or parameters["credentials"]
        _give_memory_back()
        with self._opened(file) as connection:
            default = connection.execute("select current_setting('memory_limit')").fetchone()
            for name, value in SETTINGS.items():
                connection.execute(f"set {name} = '{value}'")
            load = partial(
                super().load, destination, dataset_name, credentials=connection, workers=_WORKERS
            )
            try:
                info = load()
            except PipelineStepFailed as error:
                if "Out of Memory" not in str(error):
                    raise
                logger.warning(
                    "This load needs more than %s of memory: the limit is raised",
                    SETTINGS["memory_limit"],
                )
                # In DuckDB 1.x, `reset` reports success but keeps the limit.
                connection.execute("set memory_limit = ?", default)
                info = load()  # loads what is not loaded yet
            finally:
                parameters["credentials"] = file
            if self._loads(connection) % VACUUM_EVERY == 0:
                connection.execute("reset max_vacuum_tasks")
            return info

    def _opened(self, file: str) -> duckdb.DuckDBPyConnection:
        try:
            return connect(file, storage_version=self.storage_version)
        except duckdb.Error as error:
            if not is_taken(error):
                raise
            message = f"{busy_message(file, error)}. The next run repeats this one's work"
            raise WarehouseBusyError(message) from error

    def _loads(self, connection: duckdb.DuckDBPyConnection) -> int:
        """Returns the number of loads into the dataset."""
        # `invoiced._dlt_loads` as a name would be ambiguous in `invoiced.duckdb`.
        sql = (
            "select estimated_size from duckdb_tables() where database_name = current_database() "
            "and schema_name = ? and table_name = ?"
        )
        names = [self.dataset_name, self.default_schema.loads_table_name]
        row = connection.execute(sql, names).fetchone()
        return int(row[0]) if row else 0


def duckdb_pipeline(
    database: Database, file: Path, dataset: str, folder: Path, *, storage_version: str
) -> DuckDbPipeline:
    """Returns the pipeline that loads a dataset into a file.

    Args:
        database: The warehouse in the file.
        file: The DuckDB file; it need not exist.
        dataset: The schema.
        folder: Where dlt works.
        storage_version: The format in which a new file is created.
    """
    set_dlt_options()
    pipeline = dlt.pipeline(
        pipeline_name=f"invoiced_{dataset}",
        pipelines_dir=str(folder.resolve()),
        destination=QualifiedDuckDb(str(file), destination_name="duckdb"),
        dataset_name=dataset,
        _impl_cls=DuckDbPipeline,
    )
    pipeline.database = database
    pipeline.storage_version = storage_version
    return pipeline


def _give_memory_back() -> None:
    """Returns memory that the extraction has freed to the system, before DuckDB needs its own."""
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # only glibc needs it
    if trim is not None:
        trim(0)
