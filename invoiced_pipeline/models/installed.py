"""Whether dbt is installed: it is not part of every installation."""

from importlib.util import find_spec

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import Settings


def check_installed(settings: Settings) -> None:
    """Checks that dbt is installed.

    Raises:
        ConfigurationError: It is not.
    """
    if find_spec("dagster_dbt") is None or find_spec("dbt") is None:
        message = (
            f"{settings.source} sets models.enabled = true, but dbt is not installed. Install it "
            "with: pip install 'invoiced-pipeline[models]', or set models.enabled = false"
        )
        raise ConfigurationError(message)
