"""The INVOICED_* variables: which setting of the file each of them overrides."""

from collections.abc import Mapping
from copy import deepcopy
from itertools import pairwise
from typing import Any

from invoiced_pipeline.settings.schedule import ScheduleSettings

Place = tuple[str | int, ...]
"""Where a setting stands in the file: keys, and positions in lists."""

_FIRST = ("connection", 0)

VARIABLES: dict[str, Place] = {
    "INVOICED_SANDBOX": (*_FIRST, "sandbox"),
    "INVOICED_API_URL": (*_FIRST, "api_url"),
    "INVOICED_PROXY": (*_FIRST, "proxy"),
    "INVOICED_START_DATE": (*_FIRST, "start_date"),
    "INVOICED_DATASET": (*_FIRST, "name"),
    "INVOICED_PARTITIONS": (*_FIRST, "partitions"),
    **{
        f"INVOICED_SCHEDULE_{key.upper()}": (*_FIRST, "schedule", key)
        for key in ScheduleSettings.model_fields
    },
    "INVOICED_DESTINATION": ("warehouse", "destination"),
    "INVOICED_DUCKDB_PATH": ("warehouse", "path"),
    "INVOICED_POSTGRES_URL": ("warehouse", "credentials"),
}
"""They describe the warehouse and the first connection; other connections have the file alone."""


def overlay(document: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """The file's settings with the variables put over them."""
    result = deepcopy(dict(document))
    for variable, place in VARIABLES.items():
        if variable in environment:
            _put(result, place, environment[variable])
    return result


def _put(document: dict[str, Any], place: Place, value: str) -> None:
    """Sets the value; what is no table where one should be is left to the validation."""
    node: Any = document
    for step, following in pairwise(place):
        if isinstance(node, dict):
            node = node.setdefault(step, [{}] if following == 0 else {})
        elif isinstance(node, list) and node:
            node = node[0]
    if isinstance(node, dict):
        node[place[-1]] = value
