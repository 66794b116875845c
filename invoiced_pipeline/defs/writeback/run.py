"""One run of a write-back: what it is asked for, what it does, and what there is to say of it."""

import json
from typing import TYPE_CHECKING, Any

import dagster as dg
from pydantic import Field

from invoiced_pipeline.defs.connection_keys import ConnectionKeys
from invoiced_pipeline.settings import Settings, WritebackSettings, load_settings

if TYPE_CHECKING:
    from invoiced_pipeline.defs.resources import InvoicedApi
    from invoiced_pipeline.warehouse.database import Database
    from invoiced_pipeline.writeback.plan.plan import Plan
    from invoiced_pipeline.writeback.push.report import PushReport
    from invoiced_pipeline.writeback.run import PushOptions

_MOST_PROBLEMS = 100


class WritebackConfig(dg.Config):
    """What a run of a write-back does: by default it only looks."""

    dry_run: bool = Field(
        default=True, description="Only plan: show what would be sent, and send nothing."
    )
    record: str = Field(
        default="", description="The one record to plan or send, by its key; all when empty."
    )
    set_fields: dict[str, str] = Field(
        default={},
        description="Values in place of that record's, by field of the API or column of the "
        "source.",
    )
    retry_rejected: bool = Field(
        default=False, description="Send rows again that the API refused, though unchanged."
    )
    retry_keys: list[str] = Field(
        default=[],
        description="Record keys to send again whatever became of them, unknown ones too: look in "
        "Invoiced first whether the record is there.",
    )
    with_parents: bool = Field(
        default=True, description="First push the write-backs that this one refers to."
    )
    wait: bool = Field(
        default=False, description="Wait while another run writes the warehouse, else fail."
    )


class WritebackRun:
    """What a run does.

    Attributes:
        metadata: What there is to say of it, so far.
        failure: Why it is red although it went through; None when it is not.
    """

    def __init__(
        self,
        context: dg.OpExecutionContext,
        settings: Settings,
        writeback: WritebackSettings,
        keys: ConnectionKeys,
    ) -> None:
        self.metadata: dict[str, Any] = {}
        self.failure: str | None = None
        self._context = context
        self._settings = settings
        self._writeback = writeback
        self._connection = settings.find(writeback.connection)
        self._keys = keys

    def carry_out(self, config: WritebackConfig) -> None:
        """Plans, and sends unless it is a dry run; nothing of the warehouse is held meanwhile.

        Raises:
            InvoicedPipelineError: It could not be done; what was sent until then is in the ledger.
        """
        from invoiced_pipeline.defs.sync.documentation import document_after_push

        context, dataset = self._context, self._connection.dataset
        invoiced_api, _, warehouse = self._keys.found_in(context.resources)
        database = warehouse.database
        with warehouse.writer(dataset, context.run_id, context.instance, wait=config.wait):
            database.check_writable()
            if config.dry_run:
                self._plan(config, database, invoiced_api.base_url)
            else:
                self._push(config, database, invoiced_api)
            document_after_push(self._connection, database)

    def _plan(self, config: WritebackConfig, database: "Database", host: str) -> None:
        from invoiced_pipeline.writeback.run import plan_writeback

        wish = _wish(config)
        name = self._writeback.name
        plan = plan_writeback(
            self._settings, name, database, retries=wish.retries, single=wish.single
        )
        self._note(plan, database, host)

    def _push(
        self, config: WritebackConfig, database: "Database", invoiced_api: "InvoicedApi"
    ) -> None:
        from dataclasses import replace

        from invoiced_pipeline.selection.privacy import privacy_of
        from invoiced_pipeline.writeback.push.target import Target
        from invoiced_pipeline.writeback.run import push_writeback

        name = self._writeback.name
        wish = replace(
            _wish(config),
            on_plan=lambda plan: self._note(plan, database, invoiced_api.base_url),
        )
        failures = []
        with invoiced_api.client() as client:
            settings = load_settings()  # here, where the run is: secrets are in no definition
            target = Target(
                client=client,
                api_key=settings.api_key(self._connection),
                connection=self._connection,
                database=database,
                run_id=self._context.run_id,
                privacy=privacy_of(self._connection, settings.hash_salt),
            )
            for report in push_writeback(self._settings, name, target, wish):
                self._context.log.info("%s: %s", report.writeback, dict(report.states))
                failures += [report.failure] if report.failure else []
                self.metadata.update(_told(report, is_own=report.writeback == name))
        if config.record:
            self.metadata["response"] = _response(database, self._connection.dataset, name, config)
        self.failure = "; ".join(failures) or None

    def _note(self, plan: "Plan", database: "Database", host: str) -> None:
        """Keeps a plan in the warehouse and on the run's page."""
        from invoiced_pipeline.selection.privacy import privacy_of
        from invoiced_pipeline.writeback.plan.plan_table import write_plan
        from invoiced_pipeline.writeback.plan.redaction import redacted_plan
        from invoiced_pipeline.writeback.plan.rendering import as_markdown

        kept = redacted_plan(plan, privacy_of(self._connection, load_settings().hash_salt))
        write_plan(database, self._connection.dataset, kept, self._context.run_id)
        self.metadata["plan"] = dg.MetadataValue.md(as_markdown(kept, host))
        counts = {f"rows_to_{name}" if name in _SENT else f"rows_{name}": count
                  for name, count in plan.counts.items()}  # fmt: skip
        self.metadata.update({"rows": len(plan.rows), **counts})


_SENT = frozenset({"create", "update", "delete", "void"})


def _wish(config: WritebackConfig) -> "PushOptions":
    from invoiced_pipeline.writeback.plan.row_planner import Retries
    from invoiced_pipeline.writeback.plan.single_row import SingleRow
    from invoiced_pipeline.writeback.run import PushOptions

    single = None
    if config.record:
        single = SingleRow(record_key=config.record, edits=config.set_fields)
    return PushOptions(
        # Who sends one record by hand means it, unless its outcome is unknown.
        retries=Retries(
            rejected=config.retry_rejected or single is not None,
            record_keys=frozenset(config.retry_keys),
        ),
        single=single,
        with_parents=config.with_parents,
    )


def report_data(report: "PushReport") -> dict[str, Any]:
    """A report as JSON, for the run's page and for scripts."""
    return {
        "writeback": report.writeback,
        "operation": report.operation,
        "rows": report.rows,
        "unchanged": report.unchanged,
        "succeeded": report.succeeded,
        "states": dict(report.states),
        "verified": report.verified,
        "drifted": report.drifted,
        "problems": [
            {
                "record_key": each.record_key,
                "state": each.state,
                "status_code": each.status_code,
                "error": each.error,
                "error_param": each.error_param,
            }
            for each in report.problems[:_MOST_PROBLEMS]
        ],
        "notes": report.notes,
        "failure": report.failure,
        "requests": report.tally.requests,
        "retries": report.tally.retries,
        "wait_seconds": round(report.tally.wait_seconds, 3),
        "seconds": round(report.seconds, 3),
    }


def _told(report: "PushReport", *, is_own: bool) -> dict[str, Any]:
    data = report_data(report)
    if not is_own:
        return {f"pushed_before_{report.writeback}": dg.MetadataValue.json(data)}
    counts = {name: data[name] for name in ("succeeded", "unchanged", "verified", "requests")}
    return {"report": dg.MetadataValue.json(data), **counts, "seconds": data["seconds"]}


def _response(
    database: "Database", dataset: str, name: str, config: WritebackConfig
) -> dg.MetadataValue:
    """What the API answered to the one record that was sent."""
    from invoiced_pipeline.writeback.ledger.responses import read_response

    text = read_response(database, dataset, name, config.record)
    return dg.MetadataValue.json(json.loads(text) if text else {})
