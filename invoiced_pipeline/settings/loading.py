"""Where settings come from: environment over `.env` over `invoiced.toml` over defaults."""

import os
import tomllib
from pathlib import Path
from typing import Any

from dotenv import dotenv_values
from pydantic import BaseModel, SecretStr, ValidationError

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings.models import (
    DEFAULT_CONFIG,
    ConnectionSettings,
    Settings,
    WarehouseSettings,
)
from invoiced_pipeline.settings.schedule import ScheduleSettings

_CONNECTION_VARIABLES = {
    "INVOICED_SANDBOX": "sandbox",
    "INVOICED_API_URL": "api_url",
    "INVOICED_START_DATE": "start_date",
    "INVOICED_DATASET": "name",
    "INVOICED_PARTITIONS": "partitions",
}
_SCHEDULE_VARIABLES = {
    f"INVOICED_SCHEDULE_{key.upper()}": key for key in ScheduleSettings.model_fields
}
_WAREHOUSE_VARIABLES = {"INVOICED_DESTINATION": "destination", "INVOICED_DUCKDB_PATH": "path"}


_ACCEPTED = {
    "bool_parsing": "accepted forms are true or false",
    "bool_type": "accepted forms are true or false",
    "string_pattern_mismatch": "accepted form is a name in capitals, such as INVOICED_API_KEY",
}
_UNTOLD = frozenset({"value_error", "extra_forbidden", "list_type", "model_type"})
_NOT_FOR_FILES = frozenset({"source", "secrets"})


def _read_file(path: Path, *, required: bool) -> dict[str, Any]:
    if not path.exists():
        if required:
            msg = f"INVOICED_CONFIG names {path}, which does not exist"
            raise ConfigurationError(msg)
        return {}
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        msg = f"{path}: not valid TOML: {error}"
        raise ConfigurationError(msg) from error
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise ConfigurationError(msg) from error
    if unknown := sorted(document.keys() & _NOT_FOR_FILES):
        msg = f"{path}: {unknown[0]}: {_no_such_setting(())}"
        raise ConfigurationError(msg)
    return document


def _overlay(document: dict[str, Any], environment: dict[str, str]) -> dict[str, Any]:
    """Puts INVOICED_* variables over the file's warehouse and first connection."""
    connections = document.get("connection") or [{}]
    warehouse = document.get("warehouse", {})
    first = connections[0] if isinstance(connections, list) else None
    if not isinstance(first, dict) or not isinstance(warehouse, dict):
        return document  # the validation says what is wrong with it
    schedule = first.get("schedule", {})
    if not isinstance(schedule, dict):
        return document
    first, schedule, warehouse = dict(first), dict(schedule), dict(warehouse)
    for variables, target in (
        (_CONNECTION_VARIABLES, first),
        (_SCHEDULE_VARIABLES, schedule),
        (_WAREHOUSE_VARIABLES, warehouse),
    ):
        for variable, key in variables.items():
            if variable in environment:
                target[key] = environment[variable]
    first["schedule"] = schedule
    return {**document, "connection": [first, *connections[1:]], "warehouse": warehouse}


def _explain(error: ValidationError, source: str, environment: dict[str, str]) -> str:
    """One line per fault: where it was set, the key, the value and what is accepted."""
    origin: dict[tuple[int | str, ...], str]
    origin = {("connection", 0, key): name for name, key in _CONNECTION_VARIABLES.items()}
    schedule = ("connection", 0, "schedule")
    origin |= {(*schedule, key): name for name, key in _SCHEDULE_VARIABLES.items()}
    origin |= {("warehouse", key): name for name, key in _WAREHOUSE_VARIABLES.items()}
    lines = []
    for fault in error.errors(include_url=False):
        path, kind, value = fault["loc"], fault["type"], fault["input"]
        variable = origin.get(path)
        place = f"{source}: {'.'.join(map(str, path))}"
        place = variable if variable and variable in environment else place
        message = fault["msg"].removeprefix("Value error, ")
        if kind == "extra_forbidden":
            message = _no_such_setting(path)
        elif kind in {"list_type", "model_type"}:
            message = "accepted forms are [warehouse], and [[connection]] for each connection"
            message = "accepted form is [connection.schedule]" if "schedule" in path else message
        elif kind in _ACCEPTED:
            message = _ACCEPTED[kind]
        # Whatever may be a key in the wrong place is not repeated.
        is_hidden = kind in _UNTOLD or any("key" in str(part) for part in path)
        is_told = isinstance(value, str | int) and not is_hidden
        lines.append(f"{place}: {message}" + (f" (got {value!r})" if is_told else ""))
    return "\n".join(lines)


def _no_such_setting(path: tuple[int | str, ...]) -> str:
    models: dict[int | str, type[BaseModel]] = {
        "connection": ConnectionSettings,
        "warehouse": WarehouseSettings,
    }
    model = models.get(path[0], Settings) if len(path) > 1 else Settings
    model = ScheduleSettings if "schedule" in path[:-1] else model
    known = ", ".join(name for name in model.model_fields if name not in _NOT_FOR_FILES)
    return f"there is no such setting; there are {known}"


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
    environment = {
        name: value.strip()
        for variables in (dotenv_values(folder / ".env"), given)
        for name, value in variables.items()
        if value and value.strip()
    }
    source = environment.get("INVOICED_CONFIG", "")
    document = _read_file(folder / (source or DEFAULT_CONFIG), required=bool(source))
    if document.get("environment", True):
        document = _overlay(document, environment)
    else:
        environment = {}
    source = source or DEFAULT_CONFIG
    try:
        settings = Settings.model_validate({**document, "source": source})
    except ValidationError as error:
        fault = _explain(error, source, environment)
    else:
        names = {connection.api_key_env for connection in settings.connection}
        secrets = {name: SecretStr(environment[name]) for name in names & environment.keys()}
        return settings.model_copy(update={"secrets": secrets})
    # Outside of the except block: the validation error repeats what was set, keys included.
    raise ConfigurationError(fault)
