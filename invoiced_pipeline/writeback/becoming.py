"""What becomes of a planned row: its path, and why it is not sent."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import quote

from invoiced_pipeline.catalog.operations import path_parameters
from invoiced_pipeline.writeback.plan import PlannedRow
from invoiced_pipeline.writeback.problems import Problem


def filled(path: str, parameters: Mapping[str, Any]) -> str:
    """A path with its parameters; one that is not known yet stays in braces."""
    for name in path_parameters(path):
        if parameters.get(name) is not None:
            path = path.replace(f"{{{name}}}", quote(str(parameters[name]), safe=""))
    return path


def invalid(planned: PlannedRow, problem: Problem) -> PlannedRow:
    """The row with what is wrong with it, and without its values."""
    return replace(
        planned,
        action="invalid",
        method="",
        path="",
        body=None,
        reason=problem.reason,
        reason_param=problem.param,
    )


def held(planned: PlannedRow, reason: str) -> PlannedRow:
    """The row with what keeps it back."""
    return replace(planned, action="held", reason=reason)
