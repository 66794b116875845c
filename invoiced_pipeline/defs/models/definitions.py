"""The models of a connection as assets, with a job and a sensor that runs it after syncs."""

import dagster as dg

from invoiced_pipeline.defs.models.job import models_job
from invoiced_pipeline.defs.models.sensor import after_sync_sensor
from invoiced_pipeline.defs.replicated_dataset import ReplicatedDataset
from invoiced_pipeline.models.installed import check_installed
from invoiced_pipeline.settings import Settings


def models_definitions(settings: Settings, dataset: ReplicatedDataset) -> dg.Definitions:
    """Returns a connection's models; nothing if they are not enabled.

    Raises:
        ConfigurationError: They are enabled, and dbt is not installed.
    """
    if not settings.models.enabled:
        return dg.Definitions()
    check_installed(settings)
    # Here, because dagster-dbt takes seconds to import, and only those who use it should wait.
    from invoiced_pipeline.defs.models.assets import model_assets

    job = models_job(dataset.connection)
    return dg.Definitions(
        assets=[model_assets(settings, dataset)],
        jobs=[job],
        sensors=[after_sync_sensor(dataset.name, job)],
    )
