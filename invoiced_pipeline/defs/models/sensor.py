"""The sensor that builds the models after syncs and sweeps that changed rows."""

import dagster as dg

from invoiced_pipeline.defs.models.trigger import reason_to_skip
from invoiced_pipeline.defs.names import sweep_job_name, sync_job_name


def after_sync_sensor(dataset: str, job: dg.JobDefinition) -> dg.SensorDefinition:
    """Makes the sensor `<dataset>_models_after_sync`.

    It is on from the start: the setting `enabled` asks for it.
    """
    jobs = {sync_job_name(dataset), sweep_job_name(dataset)}

    @dg.run_status_sensor(
        name=f"{job.name}_after_sync",
        run_status=dg.DagsterRunStatus.SUCCESS,
        request_job=job,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description=f"Builds the models after every sync or sweep of {dataset} that changed rows.",
    )
    def sensor(context: dg.RunStatusSensorContext) -> dg.RunRequest | dg.SkipReason:
        run = context.dagster_run
        if run.job_name not in jobs:
            return dg.SkipReason(f"{run.job_name} does not load {dataset}")
        if reason := reason_to_skip(context.instance, dataset, run.run_id):
            return dg.SkipReason(reason)
        return dg.RunRequest(run_key=run.run_id)

    return sensor
