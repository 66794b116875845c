"""A dlt pipeline that commits what the dataset remembers without a load, if nothing was read.

Normalizing and loading a package that holds only the state takes half a second, most of a sync that
finds nothing new.
"""

from typing import TYPE_CHECKING, Any

from dlt import Pipeline
from dlt.common.pipeline import NormalizeInfo
from dlt.common.schema.typing import PIPELINE_STATE_TABLE_NAME
from dlt.pipeline.state_sync import state_doc

if TYPE_CHECKING:
    from invoiced_pipeline.warehouse.database import Database

_STATE = PIPELINE_STATE_TABLE_NAME

_VALUES = ("version", "engine_version", "state", "created_at", "version_hash")


class NothingReadError(Exception):
    """Ends a run of the pipeline that has nothing to load: its state is committed."""


class ReplicationPipeline(Pipeline):
    """A dlt pipeline that stops after the extraction if no table has rows.

    Attributes:
        database: Where the state is committed.
    """

    database: "Database"

    def normalize(self, workers: int = 1) -> NormalizeInfo:
        """Normalizes what was extracted; parameters and errors as in dlt.

        Raises:
            NothingReadError: Only the state was extracted, and is committed.
            WarehouseError: It could not be committed, or the writer's lock was lost.
        """
        self.database.check_lock(self.dataset_name)
        if self._extracted_tables() <= {_STATE} and self._is_state_committed():
            raise NothingReadError
        return super().normalize(workers)

    def _extracted_tables(self) -> set[str]:
        packages = map(self.get_load_package_info, self.list_extracted_load_packages())
        return {
            job.job_file_info.table_name
            for package in packages
            for jobs in package.jobs.values()
            for job in jobs
        }

    def _is_state_committed(self) -> bool:
        """Replaces the state of the last load; returns False if there was none.

        dlt takes the state of the last complete load.
        """
        if not self.database.exists():
            return False
        document: dict[str, Any] = {**state_doc(self.state)}
        sets = ", ".join(f"{name} = %s" for name in _VALUES)
        sql = (
            f"update {_STATE} set {sets} where pipeline_name = %s and _dlt_load_id = "  # noqa: S608 - dlt's names
            f"(select max(load_id) from _dlt_loads join {_STATE} as known "
            "on known._dlt_load_id = load_id where status = 0 and pipeline_name = %s) "
            "returning version"
        )
        names = [self.pipeline_name, self.pipeline_name]
        with self.database.session(self.dataset_name) as session:
            if not {_STATE, "_dlt_loads"} <= session.tables():
                return False
            return bool(session.rows(sql, [*map(document.__getitem__, _VALUES), *names]))
