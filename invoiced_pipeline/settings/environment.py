"""The `INVOICED_*` variables and the setting that each of them overrides."""

from collections.abc import Mapping
from copy import deepcopy
from itertools import pairwise
from typing import Any

from invoiced_pipeline.settings.schedule import ScheduleSettings

Place = tuple[str | int, ...]
"""The path to a setting in the file: keys, and indexes of lists."""

_FIRST = ("connection", 0)

VARIABLES: dict[str, Place] = {
    "INVOICED_SANDBOX": (*_FIRST, "sandbox"),
    "INVOICED_API_URL": (*_FIRST, "api_url"),
    "INVOICED_PROXY": (*_FIRST, "proxy"),
    "INVOICED_START_DATE": (*_FIRST, "start_date"),
    "INVOICED_DATASET": (*_FIRST, "name"),
    "INVOICED_PARTITIONS": (*_FIRST, "partitions"),
    "INVOICED_OPTIONAL_TABLES": (*_FIRST, "tables", "optional"),
    **{
        f"INVOICED_SCHEDULE_{key.upper()}": (*_FIRST, "schedule", key)
        for key in ScheduleSettings.model_fields
    },
    "INVOICED_DESTINATION": ("warehouse", "destination"),
    "INVOICED_DUCKDB_PATH": ("warehouse", "path"),
    "INVOICED_POSTGRES_URL": ("warehouse", "credentials"),
    "INVOICED_LOG_FORMAT": ("logs", "format"),
}
"""They set the warehouse, the first connection and the format of logs; other connections are set in
the file only."""


def overlay(document: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Returns the file's settings, overridden by the variables."""
    result = deepcopy(dict(document))
    for variable, place in VARIABLES.items():
        if variable in environment:
            _put(result, place, environment[variable])
    return result


def _put(document: dict[str, Any], place: Place, value: str) -> None:
    """Sets the value. A value where a table belongs is left for the validation to report."""
    node: Any = document
    for step, following in pairwise(place):
        if isinstance(node, dict):
            node = node.setdefault(step, [{}] if following == 0 else {})
        elif isinstance(node, list) and node:
            node = node[0]
    if isinstance(node, dict):
        node[place[-1]] = value
