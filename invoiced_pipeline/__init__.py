"""Keeps a company's Invoiced account and its warehouse in step.

For a Dagster project of your own: `from invoiced_pipeline import build_definitions, load_settings`.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from invoiced_pipeline.defs.assembly import build_definitions
    from invoiced_pipeline.settings import load_settings

__all__ = ["build_definitions", "load_settings"]

_MODULES = {
    "build_definitions": "invoiced_pipeline.defs.assembly",
    "load_settings": "invoiced_pipeline.settings",
}


def __getattr__(name: str) -> Any:
    """Imports a public function when it is used: most commands need no Dagster."""
    if name not in _MODULES:
        message = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(message)
    return getattr(import_module(_MODULES[name]), name)
