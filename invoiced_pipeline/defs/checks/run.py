"""Checks without a load, over all that is loaded: the UI's Execute buttons start them."""

from collections.abc import Iterator

import dagster as dg

from invoiced_pipeline.defs.checks.audit import Audit
from invoiced_pipeline.defs.checks.loaded import audit_request, loaded_tables
from invoiced_pipeline.defs.checks.specs import check_results
from invoiced_pipeline.defs.replicated_dataset import ReplicatedDataset
from invoiced_pipeline.defs.runs.failure import run_failure
from invoiced_pipeline.replication.api_counts import api_counts
from invoiced_pipeline.replication.failure_list import Failure


def run_checks(
    context: dg.AssetExecutionContext, dataset: ReplicatedDataset, *, wait: bool
) -> Iterator[dg.AssetCheckResult]:
    """Evaluates the selected checks; it reads only counts from the API and loads nothing.

    The API's counts are compared over all that is covered. After a sync they are compared over
    what that sync read.

    Args:
        context: The run's; it selects checks and no assets.
        dataset: Whose tables are checked.
        wait: Whether to wait while another run writes the warehouse.

    Raises:
        InvoicedPipelineError: The warehouse is busy, or the dataset holds another account's
            records.
        dagster.Failure: A table is not loaded, or a check finds that the replica is wrong.
    """
    wanted = context.selected_asset_check_keys
    checked = {key.asset_key for key in wanted}
    chosen = tuple(table for table in dataset.tables if dataset.asset_key(table) in checked)
    invoiced_api, start_date, warehouse = dataset.keys.found_in(context.resources)
    request = audit_request(dataset.connection, chosen, invoiced_api, start_date)
    with (
        invoiced_api.client() as client,
        # Reading the dataset's state writes into the pipeline's working folder.
        warehouse.writer(dataset.name, context.run.run_id, context.instance, wait=wait),
    ):
        loaded = loaded_tables(warehouse.database, dataset.name, request)
        counted = api_counts(client, loaded.request, loaded.reports)
        audit = Audit(warehouse.database, dataset.connection, loaded, counted, whole=True)
        audit.remember()
    for table in loaded.request.tables:
        key = dataset.asset_key(table)
        more = audit.checked_at(table.name)
        for result in check_results(key, audit.findings[table.name], more):
            if dg.AssetCheckKey(key, str(result.check_name)) in wanted:
                yield result
    missing = [table.name for table in chosen if table not in loaded.request.tables]
    nothing = "nothing is loaded yet, materialize first"
    others = [Failure(", ".join(missing), nothing, is_table=False)] if missing else []
    if problems := audit.problems(others):
        # After the results: Dagster drops those that follow an exception.
        raise run_failure(problems, audit.failures(others))
