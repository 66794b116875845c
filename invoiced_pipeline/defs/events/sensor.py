"""The sensor `<dataset>_events_sensor`, which syncs what Invoiced's events name."""

import dagster as dg

from invoiced_pipeline.catalog.events import tables_with_events
from invoiced_pipeline.defs.names import events_sensor_name, sync_job_name
from invoiced_pipeline.defs.replicated_dataset import ReplicatedDataset


def events_sensor(dataset: ReplicatedDataset) -> dg.SensorDefinition | None:
    """Returns the sensor; None if no table of the connection has events.

    It is off until somebody turns it on. Tables without events are left to the schedule.
    """
    with_events = tables_with_events()
    if not any(table.name in with_events for table in dataset.tables):
        return None

    @dg.sensor(
        name=events_sensor_name(dataset.connection),
        job_name=sync_job_name(dataset.connection),
        minimum_interval_seconds=dataset.connection.events_interval_seconds,
        default_status=dg.DefaultSensorStatus.STOPPED,
        description="Asks Invoiced for new events, with one request, and syncs the tables that "
        "they concern. Leave the schedule on: some changes have no event.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        # Here, because definitions load in every process of Dagster, most of which send nothing.
        from invoiced_pipeline.defs.events.tick import tick

        return tick(context, dataset)

    return sensor
