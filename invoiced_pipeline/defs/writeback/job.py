"""Every write-back as a job with one op, which by default only plans."""

from collections.abc import Iterator

import dagster as dg

from invoiced_pipeline.catalog.operations import operation as operation_named
from invoiced_pipeline.defs.connection_keys import ConnectionKeys
from invoiced_pipeline.defs.names import writeback_job_name, writeback_op_name
from invoiced_pipeline.defs.runs.pool import dataset_pool
from invoiced_pipeline.defs.runs.tags import run_tags
from invoiced_pipeline.defs.writeback.config import WritebackConfig
from invoiced_pipeline.settings import ConnectionSettings, Settings, WritebackSettings


def writeback_job(
    settings: Settings, writeback: WritebackSettings, keys: ConnectionKeys
) -> dg.JobDefinition:
    """Makes the job `writeback_<name>`.

    Args:
        settings: All settings.
        writeback: The write-back.
        keys: Resources of its connection.
    """
    connection = settings.find(writeback.connection)

    @dg.op(
        name=writeback_op_name(connection, writeback.name),
        description=operation_named(writeback.operation).description,
        required_resource_keys=keys.required,
        pool=dataset_pool(connection),
    )
    def send(context: dg.OpExecutionContext, config: WritebackConfig) -> Iterator[dg.Output]:
        # The one lazy import: it loads dlt, which takes seconds, and definitions do not need it.
        from invoiced_pipeline.defs.writeback.run import WritebackRun

        run = WritebackRun(context, settings, writeback, keys, config)
        yield dg.Output(None, metadata=run.execute())

    @dg.job(
        name=writeback_job_name(connection, writeback.name),
        description=_description(writeback, connection),
        tags=run_tags(connection),
        executor_def=dg.in_process_executor,
    )
    def job() -> None:
        send()

    return job


def _description(writeback: WritebackSettings, connection: ConnectionSettings) -> str:
    operation = operation_named(writeback.operation)
    state = "active" if writeback.active else "not active: it plans, and sends nothing"
    what = (
        f"{operation.title} for every row of `{writeback.source[:200]}` ({state}). "
        f"{operation.description}"
    )
    return "\n\n".join(filter(None, [writeback.description, what, connection.description]))
