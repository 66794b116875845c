"""The texts of alerts."""

from typing import get_args

import pytest

from invoiced_pipeline import exceptions
from invoiced_pipeline.alerts.incident import Incident, Key, Kind
from invoiced_pipeline.alerts.message import Message, message_for
from invoiced_pipeline.alerts.reasons import STATES, explain
from invoiced_pipeline.writeback.ledger.ledger import State

UI = "https://dagster.example.com"


def incident(
    kind: Kind, subject: str, reason: str = "AuthenticationError", state: str = "", **more: object
) -> Incident:
    made = {"run_id": "r1", "pending": frozenset({1})} | more
    return Incident(key=Key(kind, subject, state), reason=reason, at=1.0, **made)  # type: ignore[arg-type]


def message(*incidents: Incident, ui_url: str | None = None) -> Message:
    found = message_for(1, "Acme", {each.key: each for each in incidents}, ui_url=ui_url)
    assert found is not None
    return found


def test_equal_failures_are_one_paragraph() -> None:
    found = message(incident("load", "invoices"), incident("load", "customers"), ui_url=UI)
    assert found.title == "invoiced_pipeline: Acme"
    assert found.severity == "failure"
    assert found.body.splitlines() == [
        "Not loaded: customers, invoices.",
        "Why: Invoiced refused the API key (401).",
        "What to do: Check the key, and that production and sandbox are not mixed up: "
        "`invoiced-pipeline check`.",
        "Run: https://dagster.example.com/runs/r1",
    ]


def test_different_failures_are_paragraphs() -> None:
    found = message(
        incident("load", "invoices"),
        incident("load", "customers", "HostUnreachableError"),
        incident("rejects", "plans", "RejectLimitError", count=12),
        incident("check", "plans", "CheckFailed", "row_count"),
        incident("stale", "plans", "48", run_id=None),
        incident("rows", "crm", "RowsLeft", "held", count=1),
    )
    firsts = [each.splitlines()[0] for each in found.body.split("\n\n")]
    assert firsts == [
        "A check found an error: plans (row_count).",
        "Not loaded: invoices.",
        "Not loaded: customers.",
        "Too many rejects: plans (12 records).",
        "Rows need a person: crm (1 row held).",
        "Stale: plans.",
    ]
    assert "Run: r1" in found.body
    assert "no run has completed it for more than 48 hours" in found.body


def test_an_end_says_what_is_still_open() -> None:
    over = incident(
        "load", "invoices", is_over=True, pending=frozenset(), pending_end=frozenset({1})
    )
    assert message(over) == Message(
        "invoiced_pipeline: Acme", "Recovered: invoices (not loaded).", "success"
    )
    found = message(over, incident("stale", "plans", "48", pending=frozenset()))
    assert found.severity == "info"
    assert found.body == "Recovered: invoices (not loaded).\n\nStill open: plans (stale)."


def test_what_began_and_ended_meanwhile_is_reported() -> None:
    found = message(incident("load", "invoices", is_over=True, pending_end=frozenset({1})))
    assert found.body.startswith("These happened while this address could not be reached, and are")
    assert "Not loaded: invoices." in found.body
    assert found.severity == "success"


def test_an_address_that_knows_everything_gets_nothing() -> None:
    known = incident("load", "invoices", pending=frozenset({2}))
    assert message_for(1, "Acme", {known.key: known}, ui_url=None) is None


@pytest.mark.parametrize("name", sorted(set(exceptions.__all__) - {"InvoicedPipelineError"}))
def test_every_error_has_sentences_of_its_own(name: str) -> None:
    if name in {"ApiError", "UnavailableError"}:  # bases: their subclasses are raised
        return
    assert explain(name) != explain("SomethingUnexpected")


def test_every_state_that_needs_a_person_is_explained() -> None:
    assert set(STATES) == set(get_args(State)) - {"succeeded"}
