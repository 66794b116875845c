"""What to do after the demo."""

import os
import sys
from pathlib import Path

from invoiced_pipeline.commands.common.console import console
from invoiced_pipeline.settings import Settings
from invoiced_pipeline.warehouse.open import open_database


def show_next_steps(settings: Settings) -> None:
    """Prints where the demo's warehouse is, and the commands to try next."""
    label = open_database(settings.warehouse).label
    console.print(f"\nThe warehouse is {label}, the dataset {settings.first.dataset}. What next:")
    for what, command in next_steps().items():
        console.print(f"  {what}", highlight=False)
        console.print(f"    {command}", style="bold", highlight=False, soft_wrap=True)


def next_steps() -> dict[str, str]:
    """Returns commands by what they do, ready to be typed in this folder."""
    program = _program()
    return {
        "The same in Dagster's UI, on http://localhost:3000": "make dev",
        "Query it in SQL": f"INVOICED_CONFIG=demo.toml {program} sql",
        "Run it again: records have changed, and only those are read": "make run",
        "Replicate your own account, with a project that asks for the API key": (
            f"{program} init ../my-invoiced"
        ),
    }


def _program() -> str:
    """Returns the path of `invoiced-pipeline` from here: make does not activate its environment."""
    program = Path(sys.executable).with_name("invoiced-pipeline")
    here = Path.cwd()
    return os.path.relpath(program, here) if program.is_relative_to(here) else program.name
