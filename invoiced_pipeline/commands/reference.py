"""Makes docs/cli.md from the commands' own help."""

import re
from pathlib import Path

import typer
from typer.cli import get_docs_for_click
from typer.main import get_group

from invoiced_pipeline.cli import app
from invoiced_pipeline.commands.common.lazy_command import LazyCommand

DOCUMENT = Path(__file__).parents[2] / "docs" / "cli.md"
NAME = "invoiced-pipeline"

_INTRODUCTION = """\
<!-- Made by `make docs` from the commands' help. -->

# Commands

Every command exits with 0 only if all is well. `--json` prints the result for scripts. Without
`--connection`, `check` and `status` cover all connections, and the other commands the first one.
Settings come from the environment, `.env` and `invoiced.toml`: [settings.md](settings.md).
"""
_SHORTENED = re.compile(r"\*\*Commands\*\*:\n\n(?:\* .*\n)+\n?")
_HELP_OPTION = re.compile(r"(?:\*\*Options\*\*:\n\n)?\* `--help`: Show this message and exit\.\n")

_BLANK_LINES, _ONE = re.compile(r"\n{3,}"), "\n\n"


def render() -> str:
    """Returns the page as Markdown."""
    group = get_group(app)
    for name, command in group.commands.items():
        if isinstance(command, LazyCommand):
            group.commands[name] = command.load()
    context = typer.Context(group, info_name=NAME)
    pages = get_docs_for_click(obj=group, ctx=context, name=NAME)
    _, _, commands = _SHORTENED.sub("", pages).partition(f"## `{NAME} ")
    body = _HELP_OPTION.sub("", f"## `{NAME} {commands}")
    return f"{_INTRODUCTION}\n{_BLANK_LINES.sub(_ONE, body).strip()}\n"


if __name__ == "__main__":
    DOCUMENT.write_text(render(), encoding="utf-8")
