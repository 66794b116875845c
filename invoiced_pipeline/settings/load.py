"""Loads the settings: environment over `.env` over `invoiced.toml` over defaults."""

import os
import tomllib
from collections.abc import Mapping
from io import StringIO
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import SecretStr, ValidationError

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings.environment import overlay
from invoiced_pipeline.settings.error_messages import NOT_FOR_FILES, explain, no_such_setting
from invoiced_pipeline.settings.file_name import refused_name
from invoiced_pipeline.settings.former_file import refuse_former_file
from invoiced_pipeline.settings.models import DEFAULT_CONFIG, Settings
from invoiced_pipeline.settings.text_file import read_utf8
from invoiced_pipeline.settings.unknown_variables import unknown_variables
from invoiced_pipeline.settings.warehouse import secret_in_file, with_password


def load_settings(
    environment: dict[str, str] | None = None, folder: Path | None = None
) -> Settings:
    """Reads and validates all settings.

    Args:
        environment: Environment variables, by default those of the process. Blank ones are ignored.
        folder: Folder of the settings file and `.env`; the working directory by default.

    Raises:
        ConfigurationError: A file or value is wrong, or the warehouse is still where version 0.1.0
            kept it. The message names the file, the key and what is accepted.
    """
    directory = (folder or Path.cwd()).absolute()
    given = _not_blank(os.environ if environment is None else environment)
    here = _read_dotenv(directory / ".env")
    source = (here | given).get("INVOICED_CONFIG", "")
    file = directory / (source or DEFAULT_CONFIG)
    document = _read_file(file, required=bool(source))
    place = _plain(file.parent if file.exists() else directory)
    dotenv, given = _split_variables(place, directory, here, given)
    environment = dotenv | given
    if document.get("environment", True):
        if unknown := unknown_variables(environment, dotenv.keys() - given.keys(), document):
            raise ConfigurationError(unknown)
        document = with_password(overlay(document, environment), environment)
    else:
        environment = {}
    source = source or DEFAULT_CONFIG
    context = {
        "source": source,
        "folder": place,
        "directory": directory if folder else None,
        "has_file": file.exists(),
        "dagster_home": environment.get("DAGSTER_HOME"),
    }
    try:
        settings = Settings.model_validate({**document, **context})
    except ValidationError as error:
        fault = explain(error, source, environment, document)
    else:
        names = settings.secret_variables & environment.keys()
        secrets = {name: SecretStr(environment[name]) for name in names}
        return _located(settings.model_copy(update={"secrets": secrets}), directory, environment)
    # Raised outside the except block: the validation error would show values, secrets included.
    raise ConfigurationError(fault)


def reload_settings(settings: Settings) -> Settings:
    """Reads the settings again from where they were read: a run reads secrets when it starts."""
    return load_settings(folder=settings.directory)


def _located(settings: Settings, directory: Path, environment: Mapping[str, str]) -> Settings:
    """Makes the warehouse's path absolute and checks that it may be opened.

    Raises:
        ConfigurationError: The file is new and has the name of a schema, or an upgrade would
            leave the old file behind.
    """
    warehouse = settings.warehouse
    configured = warehouse.path if "path" in warehouse.model_fields_set else None
    path = _plain(settings.folder / warehouse.path)
    located = settings.model_copy(update={"warehouse": warehouse.model_copy(update={"path": path})})
    refuse_former_file(located, configured, directory)
    if warehouse.destination == "duckdb" and (why := refused_name(path, settings.connection)):
        is_variable = "INVOICED_DUCKDB_PATH" in environment
        where = "INVOICED_DUCKDB_PATH" if is_variable else f"{settings.source}: warehouse.path"
        message = f"{where}: {why}"
        raise ConfigurationError(message)
    return located


def _plain(path: Path) -> Path:
    """Resolves `..`. Links stay: a linked settings file belongs to the folder of the link."""
    return path.resolve() if ".." in path.parts else path


def _split_variables(
    place: Path, directory: Path, here: dict[str, str], given: dict[str, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """Returns the variables of the `.env` in use, and those of the environment.

    Args:
        place: The settings file's folder; its `.env` wins.
        directory: The working directory; its `.env` is used if the other folder has none.
        here: The variables of `.env` in the working directory.
        given: The environment. In Dagster's processes it includes `here`: Dagster loads that file.
    """
    beside = place / ".env"
    if place == directory or not beside.is_file():
        return here, given
    given = {name: value for name, value in given.items() if here.get(name) != value}
    return _read_dotenv(beside), given


def _not_blank(variables: Mapping[str, str | None]) -> dict[str, str]:
    return {name: value.strip() for name, value in variables.items() if value and value.strip()}


def _read_dotenv(path: Path) -> dict[str, str]:
    if not path.exists() or path.is_dir():
        return {}
    return _not_blank(dotenv_values(stream=StringIO(read_utf8(path))))


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
