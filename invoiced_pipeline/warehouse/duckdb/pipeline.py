"""dlt's pipeline with a load step that keeps the DuckDB file open, within bounds of memory.

dlt opens the file anew for every job and closes it behind it, which writes a checkpoint each time,
and DuckDB takes four fifths of the machine's memory by default.
"""

import ctypes
import logging
from functools import partial
from pathlib import Path
from typing import Any

import dlt
import duckdb
import pyarrow as pa
from dlt import Pipeline
from dlt.common.pipeline import LoadInfo
from dlt.pipeline.exceptions import PipelineStepFailed

from invoiced_pipeline.exceptions import WarehouseBusyError, WarehouseNotWritableError
from invoiced_pipeline.settings import STORAGE_VERSION
from invoiced_pipeline.warehouse.dlt_options import set_dlt_options
from invoiced_pipeline.warehouse.duckdb.connection import busy_message, connect, is_taken
from invoiced_pipeline.warehouse.duckdb.destination import QualifiedDuckDb
from invoiced_pipeline.warehouse.duckdb.load_settings import SETTINGS

logger = logging.getLogger(__name__)

VACUUM_EVERY = 24
"""Loads of a dataset after which the space of replaced rows is tidied up.

DuckDB would do it while it closes the file, whenever rows were replaced, and write a large table's
last 120,000 rows anew: 0.6 s after 1,000 changed invoices of 100,000 (measured with DuckDB 2.0).
"""
_WORKERS = 1
"""Jobs at a time: more add memory, and no speed, for two or three tables are most of the work."""


class DuckDbPipeline(Pipeline):
    """A dlt pipeline into a DuckDB file.

    Attributes:
        storage_version: The format in which the file is made if it does not exist.
    """

    storage_version: str = STORAGE_VERSION

    def run(self, *arguments: Any, **options: Any) -> LoadInfo:
        """Extracts, normalises and loads; parameters and errors as dlt's own.

        Raises:
            WarehouseBusyError: Another program kept the file open; nothing was read.
            WarehouseNotWritableError: The file does not exist, and cannot be made.
        """
        # dlt looks for its state first, and would make the file in DuckDB's newest format.
        file = self.destination.config_params["credentials"]
        if not Path(file).exists():
            try:
                self._opened(file).close()
            except duckdb.Error as error:
                message = f"Cannot make {file}: {error}. Check path, permissions and disk space"
                raise WarehouseNotWritableError(message) from error
        return super().run(*arguments, **options)

    def load(
        self,
        destination: Any = None,
        dataset_name: Any = None,
        credentials: Any = None,
        **_: Any,
    ) -> LoadInfo:
        """Loads the packages that are ready; parameters and errors as dlt's own.

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
                logger.warning("%s of memory do not do for this load", SETTINGS["memory_limit"])
                # DuckDB 1.x says that `reset` has worked, and keeps to the bound nevertheless.
                connection.execute("set memory_limit = ?", default)
                info = load()  # what was not loaded yet
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
        """How many loads the dataset has seen."""
        # Not by name: `invoiced._dlt_loads` is ambiguous in `invoiced.duckdb`.
        sql = (
            "select estimated_size from duckdb_tables() where database_name = current_database() "
            "and schema_name = ? and table_name = ?"
        )
        names = [self.dataset_name, self.default_schema.loads_table_name]
        row = connection.execute(sql, names).fetchone()
        return int(row[0]) if row else 0


def duckdb_pipeline(
    file: Path, dataset: str, folder: Path, *, storage_version: str
) -> DuckDbPipeline:
    """Returns the pipeline that loads a dataset into a file.

    Args:
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
    pipeline.storage_version = storage_version
    return pipeline


def _give_memory_back() -> None:
    """Returns what the extraction has freed to the system, before DuckDB takes its own share."""
    pa.default_memory_pool().release_unused()
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # glibc's; others return it themselves
    if trim is not None:
        trim(0)
