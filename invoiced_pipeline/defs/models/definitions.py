"""The models of a connection as assets, with a job and a sensor that runs it after syncs."""

from importlib.util import find_spec

import dagster as dg

from invoiced_pipeline.defs.models.job import models_job
from invoiced_pipeline.defs.models.sensor import after_sync_sensor
from invoiced_pipeline.defs.replicated_dataset import ReplicatedDataset
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import Settings


def models_definitions(settings: Settings, dataset: ReplicatedDataset) -> dg.Definitions:
    """Returns a connection's models; nothing if they are not enabled.

    Raises:
        ConfigurationError: They are enabled, and dbt is not installed.
    """
    if not settings.models.enabled:
        return dg.Definitions()
    check_dbt(settings)
    # Here, because dagster-dbt takes seconds to import, and only those who use it should wait.
    from invoiced_pipeline.defs.models.assets import model_assets

    job = models_job(dataset.connection)
    return dg.Definitions(
        assets=[model_assets(settings, dataset)],
        jobs=[job],
        sensors=[after_sync_sensor(dataset.name, job)],
    )


def check_dbt(settings: Settings) -> None:
    """Checks that dbt is installed for the kind of warehouse.

    Raises:
        ConfigurationError: It is not.
    """
    if not (find_spec("dagster_dbt") and find_spec("dbt.adapters")):
        message = (
            f"{settings.source} sets models.enabled = true, but dbt is not installed. Install it "
            "with: pip install 'invoiced-pipeline[models]', or set models.enabled = false"
        )
        raise ConfigurationError(message)
