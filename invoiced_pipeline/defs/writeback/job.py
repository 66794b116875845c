"""Every write-back as a job with one op, which only plans unless it is told to send."""

from collections.abc import Iterator

import dagster as dg

from invoiced_pipeline.catalog.operations import operation
from invoiced_pipeline.defs.connection_keys import ConnectionKeys
from invoiced_pipeline.defs.names import writeback_job_name, writeback_op_name
from invoiced_pipeline.defs.runs.dead_runs import DATASET_TAG
from invoiced_pipeline.defs.writeback.run import WritebackConfig, WritebackRun
from invoiced_pipeline.exceptions import InvoicedPipelineError
from invoiced_pipeline.settings import ConnectionSettings, Settings, WritebackSettings


def writeback_job(
    settings: Settings, writeback: WritebackSettings, keys: ConnectionKeys
) -> dg.JobDefinition:
    """The job `writeback_<name>`.

    Args:
        settings: All settings.
        writeback: Which write-back.
        keys: Its connection's resources.
    """
    connection = settings.find(writeback.connection)

    @dg.op(
        name=writeback_op_name(writeback.name),
        description=operation(writeback.operation).description,
        required_resource_keys=keys.required,
    )
    def send(context: dg.OpExecutionContext, config: WritebackConfig) -> Iterator[dg.Output]:
        run = WritebackRun(context, settings, writeback, keys)
        try:
            run.carry_out(config)
        except InvoicedPipelineError as error:
            raise dg.Failure(str(error), metadata=run.metadata, allow_retries=False) from error
        if run.failure:
            raise dg.Failure(run.failure, metadata=run.metadata, allow_retries=False)
        yield dg.Output(None, metadata=run.metadata)

    @dg.job(
        name=writeback_job_name(writeback.name),
        description=_description(writeback, connection),
        tags={DATASET_TAG: connection.dataset},
    )
    def job() -> None:
        send()

    return job


def _description(writeback: WritebackSettings, connection: ConnectionSettings) -> str:
    of = operation(writeback.operation)
    state = "active" if writeback.active else "not active: it plans, and sends nothing"
    what = f"{of.title} for every row of `{writeback.source[:200]}` ({state}). {of.description}"
    return "\n\n".join(filter(None, [writeback.description, what, connection.description]))
