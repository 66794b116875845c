"""Error messages about settings: which file, which key, and what is accepted."""

import re
from collections.abc import Mapping
from typing import Any, get_args, get_origin, get_type_hints

from pydantic import BaseModel, ValidationError

from invoiced_pipeline.settings.connection import TWO_HOSTS, ConnectionSettings
from invoiced_pipeline.settings.environment import VARIABLES, Place
from invoiced_pipeline.settings.models import Settings
from invoiced_pipeline.settings.suggestions import did_you_mean

NOT_FOR_FILES = frozenset({"source", "folder", "directory", "has_file", "dagster_home", "secrets"})
"""Fields of the settings that a file cannot set."""

_ACCEPTED = {
    "bool_parsing": "accepted forms are true or false",
    "bool_type": "accepted forms are true or false",
    "string_pattern_mismatch": "accepted form is a name in capitals, such as INVOICED_API_KEY",
}
_CONTAINERS = frozenset({"list_type", "dict_type", "model_type"})
_VALUE_NOT_SHOWN = _CONTAINERS | {"value_error", "extra_forbidden", TWO_HOSTS}
_SECRET_WORDS = ("key", "proxy", "secret", "salt", "credentials", "url")


def explain(
    error: ValidationError,
    source: str,
    environment: Mapping[str, str],
    document: Mapping[str, Any],
) -> str:
    """Returns one line per error: where the value was set, the key, the value, what is accepted.

    Args:
        error: What pydantic found.
        source: The settings file.
        environment: The variables that override the file.
        document: The validated settings, for the names of connections and write-backs.
    """
    variables = {place: name for name, place in VARIABLES.items() if name in environment}
    lines = []
    for fault in error.errors(include_url=False):
        place, value = fault["loc"], fault["input"]
        where = variables.get(place) or ": ".join(filter(None, [source, _named(place, document)]))
        # A value that may be a secret in the wrong place is not repeated.
        is_secret = any(word in str(step) for step in place for word in _SECRET_WORDS)
        is_shown = (
            isinstance(value, str | int) and not is_secret and fault["type"] not in _VALUE_NOT_SHOWN
        )
        lines.append(
            f"{where}: {_message(fault, variables)}" + (f" (got {value!r})" if is_shown else "")
        )
    return "\n".join(lines)


def no_such_setting(place: Place) -> str:
    """Lists the valid settings at the place of an unknown one."""
    model = _model_at(place)
    hidden = NOT_FOR_FILES if model is Settings else frozenset()
    known = [
        name
        for name, field in model.model_fields.items()
        if name not in hidden and not field.exclude
    ]
    listed = ", ".join(known)
    meant = did_you_mean(place[-1], known)
    return f"unknown setting; valid settings are {listed}{'.' if meant else ''}{meant}"


def _named(place: Place, document: Mapping[str, Any]) -> str:
    """Formats a place, with the name of its connection or write-back instead of an index."""
    match place:
        case (str(kind), int(number), *rest):
            inner = ".".join(map(str, rest))
            return ": ".join(filter(None, [f"{kind} {_name_of(kind, number, document)}", inner]))
    return ".".join(map(str, place))


def _name_of(kind: str, number: int, document: Mapping[str, Any]) -> str:
    """Returns the configured name, or the position counted from 1."""
    each = document[kind][number]
    name = each.get("name") if isinstance(each, Mapping) else None
    if name is None and kind == "connection" and isinstance(each, Mapping):
        name = ConnectionSettings.model_fields["name"].default
    return repr(name) if name and isinstance(name, str) else f"number {number + 1}"


def _message(fault: Mapping[str, Any], variables: Mapping[Place, str]) -> str:
    place, kind = fault["loc"], fault["type"]
    if kind == "extra_forbidden":
        return no_such_setting(place)
    if kind in _CONTAINERS:
        return f"accepted form is {_container(place)}"
    if kind == TWO_HOSTS:
        first, second = (variables.get((*place, key), key) for key in ("sandbox", "api_url"))
        return f"{first} and {second} name different hosts: remove one of them"
    if kind == "literal_error":
        accepted = re.findall("'([^']+)'", fault["ctx"]["expected"])
        meant = did_you_mean(fault["input"], accepted)
        return f"{fault['msg']}{'.' if meant else ''}{meant}"
    return _ACCEPTED.get(kind) or fault["msg"].removeprefix("Value error, ")


def _container(place: Place) -> str:
    """Shows how the table or list at a place is written in the file."""
    names = [step for step in place if isinstance(step, str)]
    annotation = _annotation_at(place)
    if model_in(annotation) is None:
        is_list = list in {get_origin(each) for each in (annotation, *get_args(annotation))}
        return f'{names[-1]} = ["...", "..."]' if is_list else f'{names[-1]} = {{ name = "..." }}'
    header = f"[{'.'.join(names)}]"
    return f"[{header}] for each {names[-1]}" if get_origin(annotation) is list else header


def _annotation_at(place: Place) -> Any:
    """Returns the type annotation at a place; indexes and table names are skipped."""
    model: type[BaseModel] = Settings
    annotation: Any = Settings
    for step in place:
        if step in model.model_fields:
            annotation = model.model_fields[str(step)].annotation
            model = model_in(annotation) or model
        elif isinstance(step, str) and model.model_config.get("extra") == "allow":
            model = annotation = get_args(get_type_hints(model)["__pydantic_extra__"])[1]
    return annotation


def _model_at(place: Place) -> type[BaseModel]:
    """Returns the model that holds the last step of a place."""
    return model_in(_annotation_at(place[:-1])) or Settings


def model_in(annotation: Any) -> type[BaseModel] | None:
    """Returns the model in a setting's annotation, also inside a list or dict; None without one."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(model_in, get_args(annotation))), None)
