"""What the alerts' sensor remembers, for the command `alert`."""

from dataclasses import dataclass

import dagster as dg

from invoiced_pipeline.alerts.state import AlertState
from invoiced_pipeline.defs.names import ALERTS_SENSOR
from invoiced_pipeline.settings import Settings


@dataclass(frozen=True, slots=True)
class Overview:
    """The sensor's state.

    Attributes:
        is_on: Whether the sensor has run, and is on.
        state: The incidents after its last tick.
    """

    is_on: bool
    state: AlertState


def read_overview(instance: dg.DagsterInstance, settings: Settings) -> Overview:
    """Returns the newest state of the sensor; incidents of former connections are left out."""
    datasets = {each.dataset for each in settings.connection}
    is_on, cursor = False, None
    for found in instance.all_instigator_state():
        if found.instigator_name == ALERTS_SENSOR:
            is_on = is_on or found.is_running
            cursor = getattr(found.instigator_data, "cursor", None) or cursor
    state = AlertState.decode(cursor)
    incidents = {name: each for name, each in state.incidents.items() if name in datasets}
    return Overview(is_on, AlertState(incidents, state.next))
