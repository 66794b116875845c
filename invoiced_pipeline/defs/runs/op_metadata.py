"""The metadata of a run's op."""

from collections.abc import Iterable, Mapping
from typing import Any

import dagster as dg


def op_metadata(events: Iterable[dg.DagsterEvent]) -> dict[str, Any]:
    """Returns the op's metadata as plain values, whether it succeeded or failed.

    Args:
        events: The run's; it has one op.
    """
    for event in events:
        metadata: Mapping[str, dg.MetadataValue] = {}
        if event.is_successful_output:
            metadata = event.step_output_data.metadata
        elif event.is_step_failure and event.step_failure_data.user_failure_data:
            metadata = event.step_failure_data.user_failure_data.metadata
        if metadata:
            return {name: value.value for name, value in metadata.items()}
    return {}
