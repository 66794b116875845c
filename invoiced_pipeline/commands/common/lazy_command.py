"""Commands whose modules are imported when they are called."""

from importlib import import_module
from typing import Any

import typer
from typer.core import TyperCommand
from typer.main import get_group


class LazyCommand(TyperCommand):
    """A command of which the application knows only name and help.

    Its module is `commands/<name>.py`, and in it a function or a `Typer` of the same name. Dagster
    and dlt take seconds to import: `--help` needs neither, and `status` only one.
    """

    def load(self) -> Any:
        """Imports the module and returns the command itself, or the group of commands."""
        name = self.name or ""
        attribute = name.replace("-", "_")
        module = import_module(f"invoiced_pipeline.commands.{attribute}")
        found = getattr(module, attribute)
        app = typer.Typer(add_completion=False)
        if isinstance(found, typer.Typer):
            app.add_typer(found, name=name, help=self.help)
        else:
            app.command(name, help=self.help)(found)
        return get_group(app).commands[name]

    def make_context(self, *args: Any, **kwargs: Any) -> Any:
        """Parses the arguments as the command itself."""
        return self.load().make_context(*args, **kwargs)


def no_options() -> None:
    """Stands in for the function of a command that is not loaded yet."""
