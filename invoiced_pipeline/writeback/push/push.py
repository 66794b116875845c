"""A push: resolves open outcomes, then sends the plan's rows, each exactly once."""

import time
from collections.abc import Callable, Mapping

from invoiced_pipeline.catalog.operations import operation as operation_named
from invoiced_pipeline.exceptions import PushRefusedError
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.settings import WritebackSettings
from invoiced_pipeline.writeback.ledger.ledger import Entry
from invoiced_pipeline.writeback.plan.plan import Plan
from invoiced_pipeline.writeback.plan.redaction import redacted_plan
from invoiced_pipeline.writeback.push.adoption import adopt_records
from invoiced_pipeline.writeback.push.context import PushContext, PushOptions
from invoiced_pipeline.writeback.push.ledger_session import LedgerSession
from invoiced_pipeline.writeback.push.open_outcomes import OpenOutcomes
from invoiced_pipeline.writeback.push.replica_upsert import upsert_records
from invoiced_pipeline.writeback.push.report import PushReport, make_report
from invoiced_pipeline.writeback.push.response_webhook import deliver_responses
from invoiced_pipeline.writeback.push.rounds import SendingRounds
from invoiced_pipeline.writeback.push.selection import note_unsent, sendable_requests
from invoiced_pipeline.writeback.push.sender import Sender


def push(
    context: PushContext,
    settings: WritebackSettings,
    make_plan: Callable[[Mapping[str, Entry]], Plan],
    options: PushOptions,
) -> PushReport:
    """Sends what a plan says, and writes what became of every row to the ledger.

    Outcomes that an earlier push left open are looked up first; the plan is made after that.

    Args:
        context: Account, warehouse and run.
        settings: The write-back.
        make_plan: Makes the plan from the ledger's entries, which are by record key, and from
            source and replica as they are then.
        options: Which rows are sent again, and whether to wait for open outcomes.

    Raises:
        DatasetMismatchError: The ledger belongs to another host.
        PushRefusedError: The write-back is not active, or the plan exceeds a limit; nothing was
            sent.
        ApiError: The API cannot be used at all; what was sent before that is in the ledger.
        WarehouseError: The ledger cannot be written.
    """
    began, tally = time.monotonic(), Tally()
    operation = operation_named(settings.operation)
    ledger = LedgerSession(context, settings.name, operation)
    ledger.check_host()
    open_outcomes = OpenOutcomes(context, operation, ledger, tally)
    open_outcomes.resolve({})
    plan = make_plan(ledger.entries)
    if adopt_records(plan, ledger, context):
        plan = make_plan(ledger.entries)
    refusal = plan.refusal()
    if refusal:
        raise PushRefusedError(refusal)
    note_unsent(redacted_plan(plan, context.privacy), ledger, context.run_id)
    sender = Sender(context, plan.operation, headers=settings.headers, tally=tally)
    at_once = context.client.limit.maximum
    rounds = SendingRounds(sender, ledger, open_outcomes, at_once=at_once, waits=options.waits)
    stopped = rounds.run(sendable_requests(plan, ledger, context, options.retries))
    ledger.flush()
    notes = _pass_on_responses(context, plan, ledger)
    report = make_report(plan, ledger, tally=tally, stopped=stopped, notes=notes)
    report.seconds = time.monotonic() - began
    return report


def _pass_on_responses(context: PushContext, plan: Plan, ledger: LedgerSession) -> list[str]:
    """Brings responses to the replica and to `response_url`; returns what a person should know."""
    url, responses = plan.settings.response_url, ledger.stored_responses
    notes = [
        upsert_records(context, plan.operation, ledger.responses),
        deliver_responses(url, responses) if url and responses else None,
    ]
    return [note for note in notes if note]
