"""`docs/settings.md`, made from the models: `python -m invoiced_pipeline.settings.reference`."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from invoiced_pipeline.settings.environment import VARIABLES, Place
from invoiced_pipeline.settings.error_messages import NOT_FOR_FILES, model_in
from invoiced_pipeline.settings.models import Settings

DOCUMENT = Path(__file__).parents[2] / "docs" / "settings.md"

_INTRODUCTION = """\
# Settings

<!-- Made from the settings' models by `make docs`: change it there. -->

Everything that can be set stands in `invoiced.toml`, or in the file that `INVOICED_CONFIG` names.
Environment variables win over `.env`, `.env` over the file, the file over the defaults. Variables
describe the warehouse and the first connection; every other connection has the file alone. All of
it is validated together: a wrong value is told with file, key, value and what is accepted, before
anything runs.

Relative paths, of the warehouse and of a write-back's source, begin at the folder of the settings
file, whatever folder a command runs in, and also where a variable sets them. Without a settings
file they begin at the working directory. `.env` is read from the settings file's folder or, if
there is none, from the working directory. `invoiced-pipeline init` writes both files.

Secrets are never in the file. It names the variables that hold them (`api_key_env`,
`password_env`), and these are read when a run begins, from the environment or `.env`.
"""


def render() -> str:
    """The whole document."""
    sections = [_section(header, place, model) for header, place, model in tables()]
    return "\n".join([_INTRODUCTION, *sections])


def settings_of(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """What can be set in one table of the file: names and declarations, without inner tables."""
    for name, field in model.model_fields.items():
        if _is_told(model, name) and (field.examples or model_in(field.annotation) is None):
            yield name, field


def toml(value: Any) -> str:
    """A value as it is written in the file."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Mapping):
        return "{ " + ", ".join(f"{key} = {toml(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, int | float):
        return str(value)
    return json.dumps(str(value), ensure_ascii=False)


def tables(
    model: type[BaseModel] = Settings, header: str = "", place: Place = ()
) -> Iterator[tuple[str, Place, type[BaseModel]]]:
    """All tables of the file: how their header is written, where they stand, what they hold."""
    yield header, place, model
    names = ".".join(str(step) for step in place if isinstance(step, str))
    for name, field in model.model_fields.items():
        inner = model_in(field.annotation)
        kind = get_origin(field.annotation)
        is_value = field.examples and kind in {list, dict}
        if not _is_told(model, name) or inner is None or is_value:
            continue
        full = f"{names}.{name}".lstrip(".")
        if kind is list:
            yield from tables(inner, f"[[{full}]]", (*place, name, 0))
        else:
            yield from tables(inner, f"[{full}]", (*place, name))
    if model.model_config.get("extra") == "allow":
        (extra,) = filter(None, [model_in(get_type_hints(model)["__pydantic_extra__"])])
        yield from tables(extra, f"[{names}.<table>]", (*place, "<table>"))


def _is_told(model: type[BaseModel], name: str) -> bool:
    is_hidden = model is Settings and name in NOT_FOR_FILES
    return not is_hidden and not model.model_fields[name].exclude


def _section(header: str, place: Place, model: type[BaseModel]) -> str:
    rows = [_row((*place, name), name, field) for name, field in settings_of(model)]
    if not rows:
        return ""
    title = f"## `{header}`" if header else "## At the top of the file"
    about = (model.__doc__ or "").strip() if header else ""
    about = about.split(": ", 1)[-1] if about.startswith("`") else about
    text = f"\n{about[:1].upper()}{about[1:]}\n" if about else ""
    variables = "| setting | default | example | variable | meaning |\n|---|---|---|---|---|"
    return "\n".join([title + ("\n" + text if text else "\n"), variables, *rows, ""])


def _row(place: Place, name: str, field: FieldInfo) -> str:
    variable = next((each for each, known in VARIABLES.items() if known == place), None)
    cells = [
        f"`{name}`",
        _default(field),
        _code(f"{name} = {toml(field.examples[0])}") if field.examples else "",
        f"`{variable}`" if variable else "",
        " ".join(filter(None, [_meaning(field), _choices(field.annotation)])),
    ]
    return f"| {' | '.join(cells)} |"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True)
    if value is None or value in ("", [], {}, ()):
        return "none"
    return _code(toml(value))


def _meaning(field: FieldInfo) -> str:
    return (field.description or "").replace("|", "\\|")


def _choices(annotation: Any) -> str:
    if get_origin(annotation) is Literal:
        return f"One of {', '.join(_code(toml(each)) for each in get_args(annotation))}."
    return next(filter(None, map(_choices, get_args(annotation))), "")


def _code(text: str) -> str:
    return f"`{text}`".replace("|", "\\|")


if __name__ == "__main__":
    DOCUMENT.write_text(render(), encoding="utf-8")
