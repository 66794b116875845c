"""Where settings come from: environment over `.env` over `invoiced.toml` over defaults."""

import os
import tomllib
from io import StringIO
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings.faults import NOT_FOR_FILES, explain, no_such_setting
from invoiced_pipeline.settings.models import DEFAULT_CONFIG, Settings
from invoiced_pipeline.settings.text_file import read_utf8
from invoiced_pipeline.settings.unknown_variables import unknown_variables
from invoiced_pipeline.settings.variables import overlay
from invoiced_pipeline.settings.warehouse import secret_in_file, with_password


def load_settings(
    environment: dict[str, str] | None = None, folder: Path | None = None
) -> Settings:
    """Reads and validates all settings.

    Args:
        environment: Environment variables; the process's own by default. Blank ones do not count.
        folder: Where `.env` and relative paths are looked up; the working directory by default.

    Raises:
        ConfigurationError: A file or value is wrong; the text names file, key and accepted forms.
    """
    folder = folder or Path.cwd()
    given = dict(os.environ) if environment is None else environment
    dotenv = _read_dotenv(folder / ".env")
    environment = {
        name: value.strip()
        for variables in (dotenv, given)
        for name, value in variables.items()
        if value and value.strip()
    }
    source = environment.get("INVOICED_CONFIG", "")
    document = _read_file(folder / (source or DEFAULT_CONFIG), required=bool(source))
    if document.get("environment", True):
        if unknown := unknown_variables(environment, dotenv.keys() - given.keys(), document):
            raise ConfigurationError(unknown)
        document = with_password(overlay(document, environment), environment)
    else:
        environment = {}
    source = source or DEFAULT_CONFIG
    try:
        settings = Settings.model_validate({**document, "source": source})
    except ValidationError as error:
        fault = explain(error, source, environment, document)
    else:
        names = settings.secret_variables & environment.keys()
        secrets = {name: SecretStr(environment[name]) for name in names}
        return settings.model_copy(update={"secrets": secrets})
    # Outside of the except block: the validation error repeats what was set, keys included.
    raise ConfigurationError(fault)


def _read_dotenv(path: Path) -> dict[str, str | None]:
    if not path.exists() or path.is_dir():
        return {}
    return dotenv_values(stream=StringIO(read_utf8(path)))


def _read_file(path: Path, *, required: bool) -> dict[str, Any]:
    if not path.exists():
        if required:
            msg = f"INVOICED_CONFIG names {path}, which does not exist"
            raise ConfigurationError(msg)
        return {}
    try:
        document = tomllib.loads(read_utf8(path))
    except tomllib.TOMLDecodeError as error:
        msg = f"{path}: not valid TOML: {error}"
        raise ConfigurationError(msg) from error
    if unknown := sorted(document.keys() & NOT_FOR_FILES):
        msg = f"{path}: {unknown[0]}: {no_such_setting((unknown[0],))}"
        raise ConfigurationError(msg)
    if secret := secret_in_file(document):
        msg = f"{path}: {secret}"
        raise ConfigurationError(msg)
    return document
