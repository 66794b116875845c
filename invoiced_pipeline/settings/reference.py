"""`docs/settings.md`, generated: `python -m invoiced_pipeline.settings.reference`."""

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

<!-- Generated from the settings' models by `make docs`: edit the models instead. -->

Settings are in `invoiced.toml`, or in the file that `INVOICED_CONFIG` names. Environment variables
override `.env`, `.env` overrides the file, and the file overrides the defaults. Variables can set
the warehouse and the first connection; other connections are set in the file only. Everything is
validated before anything runs: an error names the file, the key, the value and what is accepted.

Relative paths of the warehouse and of a write-back's source start from the folder of the settings
file, in whatever folder a command runs, and also if a variable sets them. Without a settings file
they start from the working directory. `.env` is read from the settings file's folder or, if that
has none, from the working directory. `invoiced-pipeline init` writes both files.

Secrets are never in the file. The file names the variables that hold them (`api_key_env`,
`password_env`), and a run reads these from the environment or `.env` when it starts.
"""


def render() -> str:
    """Returns the whole document as Markdown."""
    sections = [_section(header, place, model) for header, place, model in tables()]
    return "\n".join([_INTRODUCTION, *sections])


def settings_of(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    """Yields names and declarations of one table's settings, without inner tables."""
    for name, field in model.model_fields.items():
        if _is_documented(model, name) and (field.examples or model_in(field.annotation) is None):
            yield name, field


def toml(value: Any) -> str:
    """Formats a value as TOML."""
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
    """Yields all tables of the file: header, place and model."""
    yield header, place, model
    names = ".".join(str(step) for step in place if isinstance(step, str))
    for name, field in model.model_fields.items():
        inner = model_in(field.annotation)
        kind = get_origin(field.annotation)
        is_value = field.examples and kind in {list, dict}
        if not _is_documented(model, name) or inner is None or is_value:
            continue
        full = f"{names}.{name}".lstrip(".")
        if kind is list:
            yield from tables(inner, f"[[{full}]]", (*place, name, 0))
        else:
            yield from tables(inner, f"[{full}]", (*place, name))
    if model.model_config.get("extra") == "allow":
        (extra,) = filter(None, [model_in(get_type_hints(model)["__pydantic_extra__"])])
        yield from tables(extra, f"[{names}.<table>]", (*place, "<table>"))


def _is_documented(model: type[BaseModel], name: str) -> bool:
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
