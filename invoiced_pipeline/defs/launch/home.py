"""Dagster's home: the folder of its run history, which commands and the UI share."""

import os
from dataclasses import dataclass
from pathlib import Path

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import Settings

_VARIABLE = "DAGSTER_HOME"

DAGSTER_YAML = """\
# Dagster's own settings. Its run history is kept beside this file.
storage:
  custom: # SQLite, with events written in batches
    module: invoiced_pipeline.defs.runs.sqlite_storage
    class: BatchedSqliteStorage
    config:
      base_dir: {env: DAGSTER_HOME}

# Messages of the pipeline, such as retries, appear in the run's log.
python_logs:
  managed_python_loggers: [invoiced_pipeline]
  python_log_level: INFO

# The warehouse has its own lock, released when a process dies. These keep the machine usable.
concurrency:
  runs:
    max_concurrent_runs: 4
# Dagster looks at its queue every 5 seconds by default. A run of the events sensor starts sooner.
run_queue:
  dequeue_interval_seconds: 1
# A sensor that waits for a slow API does not hold up the others.
sensors:
  use_threads: true
  num_workers: 4
run_monitoring:
  enabled: true
  start_timeout_seconds: 180

# Old ticks are many and tell little. Runs and events stay until they are deleted.
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
    """The folder of Dagster's run history.

    Attributes:
        folder: Its path.
        is_own: Whether the project creates it, with a `dagster.yaml`. A folder that DAGSTER_HOME
            names in the environment, or a working directory with a `dagster.yaml`, belongs to the
            user.
        is_set: Whether the setting `home` names it, which wins over the working directory.
    """

    folder: Path
    is_own: bool
    is_set: bool = False

    def prepare(self) -> None:
        """Creates the folder if it is the project's own; existing files stay.

        Raises:
            ConfigurationError: DAGSTER_HOME is not the absolute path of an existing folder.
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
    """Returns the folder of Dagster's run history for these settings.

    A `dagster.yaml` counts only in the working directory, because its paths begin there.

    Raises:
        ConfigurationError: `.env` names a folder outside the project that does not exist.
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
            f"{_VARIABLE} in .env is {home}, which does not exist. Create the folder, or correct "
            f"the variable, for example if {settings.folder} was moved"
        )
        raise ConfigurationError(message)
    return home


def make_home(home: Path) -> None:
    """Creates the folder and its `dagster.yaml`; existing ones stay as they are."""
    home.mkdir(parents=True, exist_ok=True)
    file = home / "dagster.yaml"
    if not file.exists():
        file.write_text(DAGSTER_YAML, encoding="utf-8")
