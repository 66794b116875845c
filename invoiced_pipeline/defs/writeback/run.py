"""One run of a write-back. It imports dlt, so definitions must not import it."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import dagster as dg

from invoiced_pipeline.alerts.reasons import PUSH_STOPPED, ROWS_LEFT
from invoiced_pipeline.defs.connection_keys import ConnectionKeys
from invoiced_pipeline.defs.resources import InvoicedApi
from invoiced_pipeline.defs.runs.failure import run_failure, whole_failure
from invoiced_pipeline.defs.sync.documentation import document_after_push
from invoiced_pipeline.defs.writeback.config import WritebackConfig
from invoiced_pipeline.defs.writeback.metadata import plan_metadata, report_metadata
from invoiced_pipeline.exceptions import InvoicedPipelineError
from invoiced_pipeline.replication.failure_list import Failure
from invoiced_pipeline.selection.privacy import privacy_of
from invoiced_pipeline.settings import Settings, WritebackSettings, reload_settings
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.writeback.ledger.responses import read_response
from invoiced_pipeline.writeback.plan.current_plan import plan_writeback
from invoiced_pipeline.writeback.plan.plan import Plan
from invoiced_pipeline.writeback.plan.plan_table import write_plan
from invoiced_pipeline.writeback.plan.redaction import redacted_plan
from invoiced_pipeline.writeback.plan.send_decision import Retries
from invoiced_pipeline.writeback.plan.single_row import SingleRow
from invoiced_pipeline.writeback.push.context import PushContext, PushOptions
from invoiced_pipeline.writeback.run import push_writeback


class WritebackRun:
    """One run of a write-back.

    Args:
        context: The op's context.
        settings: All settings.
        writeback: The write-back.
        keys: Resources of its connection.
        config: What the run does.
    """

    def __init__(
        self,
        context: dg.OpExecutionContext,
        settings: Settings,
        writeback: WritebackSettings,
        keys: ConnectionKeys,
        config: WritebackConfig,
    ) -> None:
        self._context = context
        self._settings = settings
        self._writeback = writeback
        self._connection = settings.find(writeback.connection)
        self._keys = keys
        self._config = config
        self._metadata: dict[str, Any] = {}

    def execute(self) -> Mapping[str, Any]:
        """Plans, and sends unless it is a dry run; returns the metadata of the op's output.

        Raises:
            Failure: The run failed, or rows need a person; what was sent is in the ledger. It has
                the metadata that there was until then.
        """
        try:
            failures = self._execute()
        except InvoicedPipelineError as error:
            raise whole_failure(error, metadata=self._metadata) from error
        if failures:
            text = "; ".join(each.error for each in failures)
            raise run_failure(text, failures, self._metadata)
        return self._metadata

    def _execute(self) -> list[Failure]:
        context, config = self._context, self._config
        api, _, warehouse = self._keys.found_in(context.resources)
        database = warehouse.database
        with warehouse.writer(
            self._connection.dataset, context.run_id, context.instance, wait=config.wait
        ):
            database.check_writable()
            failures: list[Failure] = []
            if config.dry_run:
                self._plan(database, api.base_url)
            else:
                failures = self._push(database, api)
            document_after_push(self._connection, database)
        return failures

    def _plan(self, database: Database, host: str) -> None:
        options = _options(self._config)
        plan = plan_writeback(
            self._settings,
            self._writeback.name,
            database,
            retries=options.retries,
            single=options.single,
        )
        self._store_plan(plan, database, host)

    def _push(self, database: Database, api: InvoicedApi) -> list[Failure]:
        """Pushes; returns the write-backs with rows that need a person."""
        name, failures = self._writeback.name, []
        options = replace(
            _options(self._config),
            on_plan=lambda plan: self._store_plan(plan, database, api.base_url),
        )
        with api.client() as client:
            settings = reload_settings(
                self._settings
            )  # only the run's process reads secrets: definitions have none
            context = PushContext(
                client=client,
                api_key=settings.api_key(self._connection),
                connection=self._connection,
                database=database,
                run_id=self._context.run_id,
                privacy=privacy_of(self._connection, settings.hash_salt),
            )
            for report in push_writeback(self._settings, name, context, options):
                self._context.log.info("%s: %s", report.writeback, dict(report.states))
                if report.failure:
                    reason = PUSH_STOPPED if report.stopped else ROWS_LEFT
                    failures.append(
                        Failure(report.writeback, report.failure, is_table=False, reason=reason)
                    )
                is_parent = report.writeback != name
                self._metadata.update(report_metadata(report, is_parent=is_parent))
        if self._config.record:
            dataset = self._connection.dataset
            response = read_response(database, dataset, name, self._config.record)
            self._metadata["response"] = dg.MetadataValue.json(json.loads(response or "{}"))
        return failures

    def _store_plan(self, plan: Plan, database: Database, host: str) -> None:
        """Stores a plan in the warehouse, and shows it on the run's page."""
        kept = redacted_plan(
            plan, privacy_of(self._connection, reload_settings(self._settings).hash_salt)
        )
        write_plan(database, self._connection.dataset, kept, self._context.run_id)
        self._metadata.update(plan_metadata(kept, host))


def _options(config: WritebackConfig) -> PushOptions:
    single = None
    if config.record:
        single = SingleRow(record_key=config.record, edits=config.set_fields)
    return PushOptions(
        # Whoever sends one record by hand means it, unless its outcome is unknown.
        retries=Retries(
            rejected=config.retry_rejected or single is not None,
            record_keys=frozenset(config.retry_keys),
        ),
        single=single,
        with_parents=config.with_parents,
    )
