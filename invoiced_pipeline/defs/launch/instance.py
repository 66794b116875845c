"""The Dagster instance of the settings."""

import os

import dagster as dg

from invoiced_pipeline.defs.launch.home import dagster_home
from invoiced_pipeline.defs.runs.event_log import write_events_quickly
from invoiced_pipeline.settings import Settings


def open_instance(settings: Settings) -> dg.DagsterInstance:
    """Opens the instance whose run history the UI shows for these settings.

    Raises:
        ConfigurationError: DAGSTER_HOME names no folder.
    """
    home = dagster_home(settings)
    home.prepare()
    os.environ["DAGSTER_HOME"] = str(home.folder)
    instance = dg.DagsterInstance.get()
    write_events_quickly(instance)
    return instance
