"""The failure that an op raised."""

import dagster as dg


def failure_description(event: dg.DagsterEvent) -> str | None:
    """Returns the description of the `Failure` that an op raised.

    Args:
        event: The failure of a step.
    """
    failure = event.step_failure_data.user_failure_data
    return (failure.description or None) if failure else None
