"""Whether a sync is a reason to build the models."""

import dagster as dg

from invoiced_pipeline.defs.names import model_key, models_job_name
from invoiced_pipeline.models.project import END_MODELS

_ROWS = ("rows_loaded", "deleted_rows")
_EVENTS = {dg.DagsterEventType.ASSET_MATERIALIZATION, dg.DagsterEventType.ASSET_OBSERVATION}


def reason_to_skip(instance: dg.DagsterInstance, dataset: str, run_id: str) -> str | None:
    """Returns why the models are not built after a run; None if they are.

    It reads Dagster's run history only, so it works while another run writes the warehouse.

    Args:
        instance: Where runs are recorded.
        dataset: The dataset whose models they are.
        run_id: A sync or sweep that has ended.
    """
    built = instance.get_latest_materialization_event(model_key(dataset, END_MODELS[0]))
    if built is not None and not _changed_rows(instance, run_id):
        return f"run {run_id} changed no rows"
    if later := _later_build(instance, dataset, run_id):
        return f"run {later} began after run {run_id} had ended"
    return None


def _changed_rows(instance: dg.DagsterInstance, run_id: str) -> bool:
    for entry in instance.all_logs(run_id, of_type=_EVENTS):
        event = entry.get_dagster_event()
        if event.is_step_materialization:
            metadata = event.step_materialization_data.materialization.metadata
        else:
            metadata = event.asset_observation_data.asset_observation.metadata
        if any(name in metadata and metadata[name].value for name in _ROWS):
            return True
    return False


def _later_build(instance: dg.DagsterInstance, dataset: str, run_id: str) -> str | None:
    """Returns a run that builds, or has built, what the other run loaded."""
    record = instance.get_run_record_by_id(run_id)
    ended = record.end_time if record else None
    wanted = dg.RunsFilter(job_name=models_job_name(dataset))
    (last, *_) = instance.get_run_records(wanted, limit=1) or [None]
    if last is None or ended is None or last.dagster_run.status is dg.DagsterRunStatus.FAILURE:
        return None
    is_later = last.create_timestamp.timestamp() >= ended
    return last.dagster_run.run_id if is_later else None
