"""Dagster's home: the folder of its run history, which commands and the UI share."""

import os
from dataclasses import dataclass
from pathlib import Path

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import Settings

_VARIABLE = "DAGSTER_HOME"

DAGSTER_YAML = """\
# Dagster's own settings. Its run history is kept beside this file.

# Messages of the pipeline, such as retries, appear in the run's log.
python_logs:
  managed_python_loggers: [invoiced_pipeline]
  python_log_level: INFO

# The warehouse has a lock of its own that dies with its process; these keep the machine usable.
concurrency:
  runs:
    max_concurrent_runs: 4
run_monitoring:
  enabled: true
  start_timeout_seconds: 180

# Ticks are many and say little once they are old; runs and events stay until they are deleted.
retention:
  schedule:
    purge_after_days:
      skipped: 7
      failure: 30
      success: 90
      started: 7
  sensor:
    purge_after_days:
      skipped: 7
      failure: 30
      success: 90
      started: 7

telemetry:
  enabled: false

# No newsletter dialog over the first page.
nux:
  enabled: false
"""


@dataclass(frozen=True, slots=True)
class DagsterHome:
    """The folder of Dagster's records.

    Attributes:
        folder: Its path.
        is_own: Whether it is made, with a `dagster.yaml`, when it is missing. A folder that
            DAGSTER_HOME names in the environment, and a working directory with a `dagster.yaml`,
            belong to the user.
        is_set: Whether the setting `home` names it, whatever the working directory says.
    """

    folder: Path
    is_own: bool
    is_set: bool = False

    def prepare(self) -> None:
        """Makes the folder if it is ours. What is there stays.

        Raises:
            ConfigurationError: DAGSTER_HOME names no folder by its absolute path.
        """
        if self.is_own:
            make_home(self.folder)
        elif not (self.folder.is_absolute() and self.folder.is_dir()):
            message = (
                f"{_VARIABLE} is {self.folder}: Dagster needs the absolute path of an existing "
                "folder. Create the folder, or correct the variable"
            )
            raise ConfigurationError(message)


def dagster_home(settings: Settings) -> DagsterHome:
    """Returns the folder of Dagster's records for these settings.

    Paths in a `dagster.yaml` begin at the working directory, so one elsewhere is not used.

    Raises:
        ConfigurationError: `.env` names a folder outside of the project that does not exist.
    """
    own, given = settings.dagster.home, os.environ.get(_VARIABLE)
    if own is not None and not (settings.environment and (given or settings.dagster_home)):
        return DagsterHome(settings.folder / own, is_own=True, is_set=True)
    if given:
        return DagsterHome(Path(given), is_own=False)
    if settings.dagster_home:
        return DagsterHome(_in_dotenv(settings, settings.dagster_home), is_own=True)
    folder = Path.cwd()
    if folder == settings.folder and (folder / "dagster.yaml").exists():
        return DagsterHome(folder, is_own=False)
    return DagsterHome(settings.warehouse.path.resolve().parent / "dagster", is_own=True)


def _in_dotenv(settings: Settings, value: str) -> Path:
    home = settings.folder / value
    if not home.exists() and not home.is_relative_to(settings.folder):
        message = (
            f"{_VARIABLE} in .env is {home}, which does not exist. Correct it, for example because "
            f"{settings.folder} was moved, or create the folder"
        )
        raise ConfigurationError(message)
    return home


def make_home(home: Path) -> None:
    """Makes the folder, and a `dagster.yaml` in it; what is there is left alone."""
    home.mkdir(parents=True, exist_ok=True)
    file = home / "dagster.yaml"
    if not file.exists():
        file.write_text(DAGSTER_YAML, encoding="utf-8")
