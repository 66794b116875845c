"""The datasets whose runs began or ended lately."""

from datetime import datetime

import dagster as dg

from invoiced_pipeline.defs.names import dataset_key, sweep_job_name, sync_job_name
from invoiced_pipeline.defs.runs.tags import DATASET_TAG
from invoiced_pipeline.settings import Settings

_MOST_RUNS = 500


def changed_datasets(
    instance: dg.DagsterInstance, settings: Settings, since: datetime
) -> list[str]:
    """Returns the datasets of runs that changed after `since` (aware), without repetition."""
    datasets = {each.dataset for each in settings.connection}
    assets = {dataset_key(each): each.dataset for each in settings.connection}
    jobs = {
        job(each): each.dataset
        for each in settings.connection
        for job in (sync_job_name, sweep_job_name)
    }
    found: dict[str, None] = {}
    for run in instance.get_runs(dg.RunsFilter(updated_after=since), limit=_MOST_RUNS):
        keys = [*(run.asset_selection or ())]
        keys += [each.asset_key for each in run.asset_check_selection or ()]
        names = {assets.get(dg.AssetKey(key.path[:-1]), "") for key in keys}
        names |= {jobs.get(run.job_name, ""), run.tags.get(DATASET_TAG, "")}
        found |= dict.fromkeys(sorted(names & datasets))
    return list(found)
