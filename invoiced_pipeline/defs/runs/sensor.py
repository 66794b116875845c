"""The sensor that ends dead runs, so that their slots in Dagster's queue become free."""

import dagster as dg

from invoiced_pipeline.defs.names import DEAD_RUNS_SENSOR
from invoiced_pipeline.defs.runs.dead_runs import concerns, fail_dead_runs, unfinished_runs
from invoiced_pipeline.settings import Settings
from invoiced_pipeline.warehouse.open import open_database

_SECONDS = 30


def dead_runs_sensor(settings: Settings) -> dg.SensorDefinition | None:
    """Returns the sensor; None for a warehouse in a file, whose next run ends the dead ones.

    On several machines the next run may never begin: the queue lets one run of a dataset run at a
    time, and the dead one counts. The sensor is on by default, and asks the server only while runs
    are unfinished.
    """
    if settings.warehouse.destination == "duckdb":
        return None

    @dg.sensor(
        name=DEAD_RUNS_SENSOR,
        minimum_interval_seconds=_SECONDS,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Marks runs as failed if their process died, on whichever machine it ran, so "
        "that the next run of the dataset can start.",
    )
    def sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        database = open_database(settings.warehouse)
        failed: list[str] = []
        for dataset in _with_runs(context.instance, settings):
            lock = database.lock_state(dataset)
            failed += fail_dead_runs(context.instance, dataset, lock)
        return dg.SkipReason(f"marked as failed: {', '.join(failed)}" if failed else "no dead run")

    return sensor


def _with_runs(instance: dg.DagsterInstance, settings: Settings) -> list[str]:
    """Returns the datasets that have runs which left the queue and have not ended."""
    running = unfinished_runs(instance)
    return [
        connection.dataset
        for connection in settings.connection
        if any(concerns(run, connection.dataset) for run in running)
    ]
