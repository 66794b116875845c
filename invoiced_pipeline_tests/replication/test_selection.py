"""Columns that a connection excludes, hashes or drops, in the rows that are loaded."""

import hashlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.warehouse.row_redaction import CHUNK, RowRedactor
from invoiced_pipeline.writeback.ledger.responses import StoredResponse, write_responses
from invoiced_pipeline_tests.conftest import NOW, SALT, Replica, customer, invoice, items

EMAIL = "jane@acme.example"
HASH = hashlib.sha256(f"{SALT}{EMAIL}".encode()).hexdigest()


def columns(replicate: Replica, name: str) -> dict[str, str]:
    rows = replicate.query(
        f"select column_name, data_type from information_schema.columns where table_name = '{name}'"
    )
    return dict(rows)


def test_every_column_exists_with_any_selection(emulator: Emulator, replicate: Replica) -> None:
    emulator.store.put("invoices", invoice(1, notes="hidden", customer=7, items=items(1)))
    replicate.ok("invoices")
    every = columns(replicate, "invoices")
    other = Replica(replicate.url, replicate.api_key, replicate.database, "other")
    other.tables = {"invoices": {"include": ["total"]}}
    other.ok("invoices")
    found = other.query(
        "select column_name, data_type from information_schema.columns "
        "where table_name = 'invoices' and table_schema = 'other'"
    )
    assert dict(found) == every
    row = other.row("invoices")
    filled = {name for name, value in row.items() if value is not None}
    assert filled == {"id", "updated_at", "customer", "total", "_dlt_load_id"}


def test_a_deselected_column_is_null_from_then_on_and_fills_again(
    emulator: Emulator, replicate: Replica
) -> None:
    for record_id in (1, 2):
        emulator.store.put("customers", customer(record_id, notes=f"old {record_id}"))
    replicate.ok("customers")
    replicate.tables = {"customers": {"exclude": ["notes"]}}
    emulator.clock.set(NOW + 3600)
    emulator.store.put("customers", customer(2, NOW + 1000, notes="new 2"))
    emulator.store.put("customers", customer(3, NOW + 1000, notes="new 3"))
    replicate.ok("customers")
    notes = "select id, notes from customers order by id"
    assert replicate.query(notes) == [(1, "old 1"), (2, None), (3, None)]
    # Selected again, it fills for rows that change, and a full refresh fills the rest.
    replicate.tables = {}
    emulator.clock.set(NOW + 7200)
    emulator.store.put("customers", customer(2, NOW + 7000, notes="newer 2"))
    replicate.ok("customers")
    assert replicate.query(notes) == [(1, "old 1"), (2, "newer 2"), (3, None)]
    replicate.ok("customers", mode="full")
    assert replicate.query(notes) == [(1, "old 1"), (2, "newer 2"), (3, "new 3")]


@pytest.mark.parametrize("treatment", ["exclude", "drop"])
def test_a_dropped_column_appears_nowhere(
    treatment: str, emulator: Emulator, replicate: Replica
) -> None:
    """Neither in `_extra` nor in a reject; and its value need not fit the column."""
    replicate.tables = {"customers": {treatment: ["credit_limit", "notes"]}}
    records = [
        customer(1, notes="secret words", credit_limit="none at all", surprise=1),
        customer(2, notes="secret words", credit_limit=5, chase="x", active={"no": "boolean"}),
        customer(3, notes="secret words", credit_limit=5, owner="no number"),
    ]
    for record in records:
        emulator.store.put("customers", record)
    replicate.ok("customers")
    first = replicate.query("select notes, credit_limit, _extra from customers")
    assert first == [(None, None, '{"surprise":1}')]
    rejected = replicate.rows("_rejected", "id")
    assert [row["id"] for row in rejected] == ["2", "3"]
    for row in rejected:
        record = json.loads(row["record"])
        assert record["notes"] is record["credit_limit"] is None
        assert "secret" not in row["reason"]
    assert replicate.ids("customers") == [1]


def test_amounts_that_do_not_fit_reject_without_what_is_left_out(
    emulator: Emulator, replicate: Replica
) -> None:
    """These are found when records are converted to Arrow, later than others."""
    replicate.tables = {"customers": {"exclude": ["notes"], "hash": ["email"]}}
    limit = 10**28
    record = customer(1, notes="secret words", email=EMAIL, credit_limit=limit)
    emulator.store.put("customers", record)
    replicate.ok("customers")
    (row,) = replicate.rows("_rejected")
    kept = json.loads(row["record"])
    assert (kept["notes"], kept["email"], kept["credit_limit"]) == (None, HASH, str(limit))


@pytest.mark.parametrize(
    "tables",
    [
        {"children": False},
        {"invoices": {"children": False}},
        {"exclude": ["invoices__items"]},
        {"invoices": {"exclude": ["items"]}},
    ],
)
def test_deselected_child_tables_keep_their_rows(
    tables: dict[str, Any], emulator: Emulator, replicate: Replica
) -> None:
    emulator.store.put("invoices", invoice(1, items=items(2)))
    replicate.ok("invoices")
    replicate.tables = tables
    emulator.clock.set(NOW + 3600)
    emulator.store.put("invoices", invoice(1, NOW + 1000, items=items(3, "new")))
    emulator.store.put("invoices", invoice(2, NOW + 1000, items=items(1, "new")))
    replicate.ok("invoices")
    names = "select invoice_id, name from invoices__items order by invoice_id, _index"
    assert replicate.query(names) == [(1, "line 0"), (1, "line 1")]
    # Selected again, it fills for rows that change, and a full refresh brings the rest.
    replicate.tables = {}
    emulator.clock.set(NOW + 7200)
    emulator.store.put("invoices", invoice(1, NOW + 7000, items=items(1, "newer")))
    replicate.ok("invoices")
    assert replicate.query(names) == [(1, "newer 0")]
    replicate.ok("invoices", mode="full")
    assert replicate.query(names) == [(1, "newer 0"), (2, "new 0")]


def test_child_tables_off_from_the_start_do_not_exist(
    emulator: Emulator, replicate: Replica
) -> None:
    replicate.tables = {"children": False}
    emulator.store.put("invoices", invoice(1, items=items(2)))
    replicate.ok("invoices")
    assert columns(replicate, "invoices__items") == {}
    assert len(json.loads(replicate.row("invoices")["items"])) == 2
    replicate.tables = {}
    replicate.ok("invoices", mode="full")
    assert len(replicate.rows("invoices__items")) == 2


def test_a_value_has_the_same_hash_in_every_place(emulator: Emulator, replicate: Replica) -> None:
    replicate.tables = {"customers": {"hash": ["email"]}}
    for record_id, email in enumerate((EMAIL, EMAIL, None, "")):
        emulator.store.put("customers", customer(record_id, email=email))
    source = {"id": 1, "object": "card", "receipt_email": EMAIL, "last4": "4242"}
    emulator.store.put(
        "customers", customer(9, email=EMAIL, payment_source=source, extra=[EMAIL], notes=EMAIL)
    )
    emulator.store.put("invoices", invoice(1, payment_source=source, items=items(1)))
    replicate.ok("customers", "invoices")
    emails = [row[0] for row in replicate.query("select email from customers order by id")]
    empty = hashlib.sha256(SALT.encode()).hexdigest()
    assert emails == [HASH, HASH, None, empty, HASH]
    row = replicate.rows("customers", "id")[-1]
    assert row["notes"] == HASH
    assert json.loads(row["_extra"]) == {"extra": [HASH]}
    for text in (row["payment_source"], replicate.row("invoices")["payment_source"]):
        assert json.loads(text) == {**source, "receipt_email": HASH}


def test_plans_are_chosen_by_columns_that_are_left_out(
    emulator: Emulator, replicate: Replica
) -> None:
    replicate.tables = {"plans": {"include": ["name"]}}
    plan = {"id": "a", "object": "plan", "interval": "month", "updated_at": NOW - 10}
    for number, archived in ((1, True), (2, False), (3, True)):
        record = plan | {"name": f"version {number}", "archived": archived, "internal_id": number}
        emulator.store.put("plans", record)
    replicate.ok("plans")
    row = replicate.row("plans")
    assert (row["name"], row["archived"], row["internal_id"]) == ("version 2", None, None)


def test_redaction_can_be_repeated(emulator: Emulator, replicate: Replica) -> None:
    """If a run dies after the redaction, the dataset's state does not contain it."""
    for record_id in range(CHUNK + 2):
        emulator.store.put("customers", customer(record_id, email=f"{record_id}{EMAIL}"))
    replicate.ok("customers")
    replicate.tables = {"customers": {"hash": ["email"]}}
    redactor = RowRedactor(replicate.database, replicate.dataset, replicate.asked()["privacy"])
    redactor.run()
    once = replicate.rows("customers", "id")
    hashes = [hashlib.sha256(f"{SALT}{row['id']}{EMAIL}".encode()).hexdigest() for row in once]
    assert [row["email"] for row in once] == hashes
    replicate.ok("customers")
    assert [row["email"] for row in replicate.rows("customers", "id")] == hashes


def test_a_column_that_an_upgrade_adds_is_hashed_from_the_start(
    emulator: Emulator, replicate: Replica
) -> None:
    """Rows that were loaded by an older version are redacted before the load adds the column."""
    emulator.store.put("customers", customer(1, email=EMAIL, attention_to=EMAIL))
    replicate.ok("customers")
    with replicate.database.session(replicate.dataset) as session:
        session.run('drop view if exists "customers_current"')
        session.run('alter table "customers" drop column "attention_to"')
    replicate.tables = {"customers": {"hash": ["email", "attention_to"], "drop": ["phone"]}}
    RowRedactor(replicate.database, replicate.dataset, replicate.asked()["privacy"]).run()
    replicate.ok("customers", mode="full")
    row = replicate.row("customers")
    assert row["email"] == row["attention_to"] != EMAIL


def test_responses_of_writebacks_are_redacted(emulator: Emulator, replicate: Replica) -> None:
    emulator.store.put("customers", customer(1, email=EMAIL))
    replicate.ok("customers")
    answer = {"id": 1, "object": "customer", "email": EMAIL, "name": f"Jane, {EMAIL}"}
    response = StoredResponse(
        writeback="new customers",
        record_key="1",
        status_code=201,
        invoiced_id="1",
        response=json.dumps(answer),
        verified=True,
        drift=None,
        received_at=datetime.now(UTC),
    )
    with replicate.database.session(replicate.dataset) as session:
        write_responses(session, [response])
    replicate.tables = {"customers": {"hash": ["email"]}}
    replicate.ok("customers")
    ((kept,),) = replicate.query("select response from _writeback_responses")
    assert json.loads(kept) == answer | {"email": HASH, "name": f"Jane, {HASH}"}
