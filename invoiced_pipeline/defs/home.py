"""Where Dagster keeps its records: the same folder for commands and for the UI."""

import os
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from dotenv import dotenv_values

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import Settings

_VARIABLE = "DAGSTER_HOME"
_CONFIGURATION = "dagster.yaml"


@dataclass(frozen=True, slots=True)
class DagsterHome:
    """The folder of Dagster's records.

    Attributes:
        folder: An absolute path.
        is_own: Whether it is ours to make and to configure. A folder that DAGSTER_HOME names, and a
            working directory with a `dagster.yaml`, belong to the user.
        hidden_by_dotenv: Whether `.env` names another folder, which `dagster dev` would use.
    """

    folder: Path
    is_own: bool
    hidden_by_dotenv: bool = False

    def prepare(self) -> None:
        """Makes the folder with a `dagster.yaml`, if it is ours. A file that exists stays.

        Raises:
            ConfigurationError: DAGSTER_HOME names no folder by its absolute path.
        """
        if not self.is_own:
            if not (self.folder.is_absolute() and self.folder.is_dir()):
                message = (
                    f"{_VARIABLE} is {self.folder}: Dagster needs the absolute path of an existing "
                    "folder. Create the folder, or correct the variable"
                )
                raise ConfigurationError(message)
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        path = self.folder / _CONFIGURATION
        if not path.exists():
            template = files("invoiced_pipeline.defs") / "dagster_home.yaml"
            path.write_text(template.read_text(encoding="utf-8"), encoding="utf-8")


def dagster_home(settings: Settings) -> DagsterHome:
    """Returns the folder of Dagster's records for these settings."""
    in_file = _in_dotenv()
    # Dagster, too, lets .env win over the process here.
    given, own = in_file or os.environ.get(_VARIABLE), settings.dagster.home
    if own is not None and not (given and settings.environment):
        return DagsterHome(own.resolve(), is_own=True, hidden_by_dotenv=in_file is not None)
    if given:
        return DagsterHome(Path(given), is_own=False)
    folder = Path.cwd()
    if (folder / _CONFIGURATION).exists():
        return DagsterHome(folder, is_own=False)
    return DagsterHome(settings.warehouse.path.resolve().parent / "dagster", is_own=True)


def _in_dotenv() -> str | None:
    path = Path.cwd() / ".env"
    return dotenv_values(path).get(_VARIABLE) or None if path.is_file() else None
