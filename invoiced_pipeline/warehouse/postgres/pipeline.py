"""dlt's pipeline into a PostgreSQL database."""

from pathlib import Path
from typing import Any

import dlt
from dlt.common.pipeline import LoadInfo

from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.dlt_options import set_dlt_options
from invoiced_pipeline.warehouse.postgres.destination import ExactPostgres
from invoiced_pipeline.warehouse.replication_pipeline import ReplicationPipeline

_WORKERS = 4
"""Parallel jobs, each with its own connections; dlt's 20 are too many for a shared server."""


class PostgresPipeline(ReplicationPipeline):
    """A dlt pipeline into a PostgreSQL database."""

    def load(
        self,
        destination: Any = None,
        dataset_name: Any = None,
        credentials: Any = None,
        **_: Any,
    ) -> LoadInfo:
        """Loads the packages that are ready; parameters and errors as in dlt."""
        return super().load(destination, dataset_name, credentials, workers=_WORKERS)


def postgres_pipeline(
    database: Database, address: str, dataset: str, folder: Path
) -> PostgresPipeline:
    """Returns the pipeline that loads a dataset.

    Args:
        database: The warehouse on the server.
        address: The server with user and password.
        dataset: The schema.
        folder: Where dlt works.
    """
    set_dlt_options()
    pipeline = dlt.pipeline(
        pipeline_name=f"invoiced_{dataset}",
        pipelines_dir=str(folder.resolve()),
        destination=ExactPostgres(address, destination_name="postgres"),
        dataset_name=dataset,
        _impl_cls=PostgresPipeline,
    )
    pipeline.database = database
    return pipeline
