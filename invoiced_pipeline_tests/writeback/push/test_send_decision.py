"""Whether a row may be sent: plan and push decide alike, whatever the ledger holds."""

from dataclasses import replace
from itertools import product

import pytest
from pydantic import SecretStr

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog.operations import operation
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.settings import ConnectionSettings
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.writeback.ledger.ledger import Entry, Ledger
from invoiced_pipeline.writeback.plan.plan import Plan
from invoiced_pipeline.writeback.plan.send_decision import NO_RETRIES, Retries
from invoiced_pipeline.writeback.push.context import PushContext
from invoiced_pipeline.writeback.push.ledger_session import LedgerSession
from invoiced_pipeline.writeback.push.selection import sendable_requests
from invoiced_pipeline_tests.writeback.plans import NAME, plan_of
from invoiced_pipeline_tests.writeback.push_harness import DATASET, RETRY_POLICY

pytestmark = pytest.mark.everywhere

STATES = ("planned", "sent", "succeeded", "rejected", "unknown", "held", "invalid")
PAYLOADS = ("same", "changed")
KEYS = [f"{state} {payload}" for state, payload in product(STATES, PAYLOADS)]
ROWS = [{"key": key, "name": key} for key in [*KEYS, "new"]]

ALWAYS = {
    *("new", "succeeded changed", "rejected changed"),
    *(f"{state} {payload}" for state in ("planned", "held", "invalid") for payload in PAYLOADS),
}
REFUSED, UNKNOWN = {"rejected same"}, {"unknown same", "unknown changed"}
RETRIES: dict[str, tuple[Retries, set[str]]] = {
    "none": (NO_RETRIES, ALWAYS),
    "refused rows": (Retries(rejected=True), ALWAYS | REFUSED),
    "all keys": (Retries(record_keys=frozenset(KEYS)), ALWAYS | REFUSED | UNKNOWN),
    "one key": (Retries(record_keys=frozenset(REFUSED)), ALWAYS | REFUSED),
}


def entries(plan: Plan) -> dict[str, Entry]:
    """One entry per state and payload, for the rows of a plan made with an empty ledger."""
    found = {}
    for row in plan.rows:
        state, _, payload = row.record_key.partition(" ")
        if state not in STATES:
            continue
        sent = row.payload_hash if payload == "same" else "another hash"
        entry = Entry(writeback=NAME, record_key=row.record_key, payload_hash=sent, state=state)
        if state == "succeeded":
            entry = replace(entry, succeeded_hash=sent, invoiced_id=str(row.position + 1))
        found[row.record_key] = entry
    return found


@pytest.mark.parametrize("case", RETRIES)
def test_plan_and_push_agree(emulator: Emulator, database: Database, case: str) -> None:
    retries, expected = RETRIES[case]
    unknown_to_ledger = plan_of(database, "create_customer", *ROWS)
    known = entries(unknown_to_ledger)
    plan = plan_of(database, "create_customer", *ROWS, known=known, retries=retries)
    assert {row.record_key for row in plan.to_send} == expected

    Ledger(database, DATASET).write(list(known.values()))
    key = SecretStr(emulator.api_key)
    client = InvoicedClient(emulator.url, key, retry_policy=RETRY_POLICY)
    context = PushContext(
        client=client,
        api_key=key,
        connection=ConnectionSettings(api_url=emulator.url),
        database=database,
        run_id="run",
    )

    def pushed(plan: Plan) -> set[str]:
        ledger = LedgerSession(context, NAME, operation("create_customer"))
        requests = sendable_requests(plan, ledger, context, retries)
        return {key for request in requests for key in request.keys}

    assert pushed(plan) == expected
    # A plan made without the ledger sends no other rows, and creates no record twice.
    assert pushed(unknown_to_ledger) == expected - {"succeeded changed"}
    client.close()
