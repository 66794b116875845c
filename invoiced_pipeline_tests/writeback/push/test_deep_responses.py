"""Responses nested too deeply to read: every row is resolved, and none is sent twice."""

from pathlib import Path
from typing import Any

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline_tests.conftest import Replica, customer
from invoiced_pipeline_tests.writeback.plan.test_partial_updates import Updating
from invoiced_pipeline_tests.writeback.push_harness import LONG, PushHarness, planned

pytestmark = pytest.mark.everywhere

DEEP = b'"deep": ' + b'{"a":' * 3000 + b"1" + b"}" * 3000


class DeepResponse:
    """A response whose first record has one more, deeply nested field."""

    def __init__(self, response: Any) -> None:
        self._response = response

    def __getattr__(self, name: str) -> Any:
        return getattr(self._response, name)

    @property
    def data(self) -> bytes:
        body = self._response.data
        start = body.find(b"{") + 1
        return body[:start] + DEEP + b"," + body[start:] if start else body


@pytest.fixture
def _deep(monkeypatch: pytest.MonkeyPatch) -> None:
    deepen(monkeypatch)


def deepen(monkeypatch: pytest.MonkeyPatch) -> None:
    exchange = InvoicedClient.exchange

    def deepened(self: InvoicedClient, *arguments: Any, **options: Any) -> Any:
        return DeepResponse(exchange(self, *arguments, **options))

    monkeypatch.setattr(InvoicedClient, "exchange", deepened)


@pytest.mark.usefixtures("_deep")
@pytest.mark.parametrize("fault", [None, "lose_response"])
@pytest.mark.parametrize("number", [None, "C-7"])
def test_row_is_sent_once(pushing: PushHarness, fault: Any, number: str | None) -> None:
    if fault:
        pushing.emulator.faults.next(fault, method="POST")
    row = planned("k", {"name": "Ada"} | ({"number": number} if number else {}))
    report = pushing([row])
    if report.failure is not None:
        pushing.clock.at += LONG
        report = pushing([row])
    assert report.failure is None
    (record,) = pushing.emulator.store.all("customers")
    assert pushing.entries()["k"].invoiced_id == str(record["id"])
    assert pushing([row]).unchanged == 1


@pytest.mark.usefixtures("_deep")
def test_refusal_keeps_its_message(pushing: PushHarness) -> None:
    report = pushing([planned("k", {"name": ""})])
    (problem,) = report.failures
    assert problem.state == "rejected"
    assert problem.error
    assert "Recursion" not in problem.error


def test_update_that_cannot_be_merged_is_not_sent(
    emulator: Emulator,
    database: Database,
    replicate: Replica,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A field nested too deeply could not be sent back with the rest."""
    before = customer(1, metadata={"erp": "10"})
    emulator.store.put("customers", before)
    updating = Updating(emulator, database, tmp_path, replicate)
    updating.source({"id": 1, "crm": "C-1"})
    updating.declare("update_customer", {"id": "id", "metadata.crm": "crm"}, check_replica=False)
    with monkeypatch.context() as patched:
        deepen(patched)
        failure = updating.push().failure
    assert failure is not None
    assert "nested too deeply to be merged with: nothing was sent" in failure
    assert updating.counted("PATCH") == 0
    assert updating.push().failure is None
    assert updating.api("GET", "/customers/1")["metadata"]["erp"] == "10"
