"""Plans: mapping, order, references, differences to the replica, limits."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog.operations import MARKER
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.writeback.ledger.ledger import Entry
from invoiced_pipeline.writeback.plan.plan import Plan
from invoiced_pipeline.writeback.plan.send_decision import Retries
from invoiced_pipeline.writeback.source.references import Parent
from invoiced_pipeline.writeback.validation.diff import Change
from invoiced_pipeline_tests.conftest import Replica, customer
from invoiced_pipeline_tests.writeback.plans import ledger_entry, plan_of, planned

pytestmark = pytest.mark.everywhere


def succeeded(plan: Plan, row: int = 0, invoiced_id: str = "7") -> Entry:
    """The ledger entry of a row that was sent."""
    digest = plan.rows[row].payload_hash
    return ledger_entry(
        state="succeeded", payload_hash=digest, succeeded_hash=digest, invoiced_id=invoiced_id
    )


def actions(plan: Plan) -> list[str]:
    return [row.action for row in plan.rows]


def test_a_mapping_renames_sets_constants_and_computes(database: Database) -> None:
    row = planned(
        database,
        "create_customer",
        {"company": "Acme", "city": "Berlin", "internal": 1, "__writeback_country": "DE"},
        exclude=["key", "internal"],
        mapping={
            "name": "company",
            "currency": {"value": "eur"},
            "autopay": False,
            "country": {"sql": "upper('de')"},
            "metadata.crm": "company",
        },
    )
    assert row.body == {
        "name": "Acme",
        "city": "Berlin",
        "currency": "eur",
        "autopay": False,
        "country": "DE",
        "metadata": {"crm": "Acme"},
    }


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (date(2026, 1, 1), 1_767_225_600),
        (datetime(2026, 1, 1, 1, tzinfo=UTC), 1_767_229_200),
        (datetime(2026, 1, 1, 1), 1_767_229_200),  # noqa: DTZ001 - naive ones are UTC
        ("2026-01-01", 1_767_225_600),
        ("2026-01-01T01:00:00+01:00", 1_767_225_600),
        ("1767225600", 1_767_225_600),
    ],
)
def test_instants_become_epoch_seconds(database: Database, value: Any, sent: int) -> None:
    row = {"name": "a", "action": "phone", "due_date": value}
    assert (planned(database, "create_task", row).body or {})["due_date"] == sent


def test_values_take_the_type_of_their_field(database: Database) -> None:
    row = planned(
        database,
        "create_invoice",
        {
            "customer": "12",
            "number": 1001,
            "draft": "true",
            "items": '[{"name": "x", "quantity": 2, "unit_cost": 0.1, "description": null}]',
            "tax": 0.1,
            "notes": None,
        },
    )
    assert row.body == {
        "customer": 12,
        "number": "1001",
        "draft": True,
        "items": [{"name": "x", "quantity": 2, "unit_cost": Decimal("0.1")}],
        "tax": Decimal("0.1"),
    }
    assert row.amount == Decimal("0.2")


def test_milliseconds_are_not_a_date(database: Database) -> None:
    row = {"name": "a", "action": "phone", "due_date": 1_764_064_800_001}
    assert "seconds since 1970" in (planned(database, "create_task", row).reason or "")


def test_what_was_sent_is_not_sent_again_until_it_changes(
    database: Database,
) -> None:
    first = plan_of(database, "create_customer", {"name": "Acme"})
    known = {"k0": succeeded(first)}
    again = plan_of(database, "create_customer", {"name": "Acme"}, known=known)
    assert actions(again) == ["unchanged"]
    changed = plan_of(database, "create_customer", {"name": "Acme Ltd"}, known=known)
    (row,) = changed.rows
    assert (row.action, row.method, row.path) == ("update", "PATCH", "/customers/7")
    assert row.body == {"name": "Acme Ltd"}


@pytest.mark.parametrize("operation", ["record_payment", "attach_payment_source"])
def test_payments_and_payment_sources_are_never_updated(database: Database, operation: str) -> None:
    rows: dict[str, list[dict[str, Any]]] = {
        "record_payment": [{"amount": 1}, {"amount": 2}],
        "attach_payment_source": [
            {"customer": 1, "gateway_token": "a"},
            {"customer": 1, "gateway_token": "b"},
        ],
    }
    before, after = rows[operation]
    known = {"k0": succeeded(plan_of(database, operation, before))}
    row = planned(database, operation, after, known=known)
    assert row.action == "invalid"
    assert "give it its own key" in (row.reason or "")
    twice = plan_of(database, operation, before, {**after, "key": "k0"})
    assert actions(twice) == ["create", "invalid"]


def test_rows_of_one_key_are_sent_in_order(database: Database) -> None:
    rows = [{"key": "a", "name": name} for name in ("One", "Two", "Three")]
    plan = plan_of(database, "create_customer", rows[0], {"name": "Other"}, *rows[1:])
    assert actions(plan) == ["create", "create", "update", "update"]
    assert [row.path for row in plan.rows if row.record_key == "a"] == [
        "/customers", "/customers/{id}", "/customers/{id}",
    ]  # fmt: skip
    assert [row.body for row in plan.rows[2:]] == [{"name": "Two"}, {"name": "Three"}]
    done = {"a": succeeded(plan, 3)}
    assert actions(plan_of(database, "create_customer", *rows, known=done)) == ["unchanged"] * 3
    halfway = {"a": succeeded(plan, 2)}
    rest = plan_of(database, "create_customer", *rows, known=halfway)
    assert actions(rest) == ["unchanged", "unchanged", "update"]
    assert rest.rows[2].path == "/customers/7"


def test_a_key_that_is_null(database: Database) -> None:
    plan = plan_of(
        database, "create_customer", {"key": None, "name": "a"}, {"key": "", "name": "b"}
    )
    assert actions(plan) == ["invalid", "invalid"]
    assert len({row.record_key for row in plan.rows}) == 2


def test_refused_and_unknown_rows_wait_for_a_person(database: Database) -> None:
    row = {"name": "Acme"}
    digest = planned(database, "create_customer", row).payload_hash
    rejected = {"k0": ledger_entry(state="rejected", payload_hash=digest)}
    unknown = {"k0": ledger_entry(state="unknown", payload_hash=digest)}

    def action(known: dict[str, Entry], row: dict[str, Any], **options: Any) -> str:
        return planned(database, "create_customer", row, known=known, **options).action

    assert action(rejected, row) == "held"
    assert action(rejected, {"name": "Acme Ltd"}) == "create"
    assert action(rejected, row, retries=Retries(rejected=True)) == "create"
    assert action(unknown, row) == "held"
    assert action(unknown, {"name": "Acme Ltd"}) == "held"
    assert action(unknown, row, retries=Retries(rejected=True)) == "held"
    assert action(unknown, row, retries=Retries(record_keys=frozenset({"k0"}))) == "create"


REFERENCE = {"customer": "@crm[crm_id].id"}


def test_children_wait_for_their_parents(database: Database) -> None:
    rows = [{"crm_id": name, "items": []} for name in ("C1", "C2", "C3")]
    others = {
        "crm": {
            "C1": ledger_entry(
                state="succeeded", payload_hash="x", succeeded_hash="x", invoiced_id="12"
            ),
            "C2": ledger_entry(state="rejected", payload_hash="x"),
        }
    }
    plan = plan_of(database, "create_invoice", *rows, others=others, mapping=REFERENCE)
    assert actions(plan) == ["create", "held", "held"]
    assert plan.rows[0].body == {"items": [], "customer": 12}
    assert [row.parents for row in plan.rows[1:]] == [
        (Parent("crm", "C2", "id"),),
        (Parent("crm", "C3", "id"),),
    ]
    assert [row.reason for row in plan.rows[1:]] == [
        "waits: crm 'C2' is rejected",
        "waits: crm 'C3' has not been sent yet",
    ]


def test_later_row_of_a_key_waits_for_its_parent_too(database: Database) -> None:
    known = ledger_entry(state="succeeded", payload_hash="x", succeeded_hash="x", invoiced_id="12")
    rows = [{"key": "A", "name": "A", "crm_id": crm_id} for crm_id in ("C1", "C2")]
    plan = plan_of(
        database,
        "create_customer",
        *rows,
        others={"crm": {"C1": known}},
        records={"crm": {"C1": {"id": 12, "number": "N-1"}}},
        mapping={"name": "name", "notes": "@crm[crm_id].number"},
    )
    assert actions(plan) == ["create", "held"]
    assert plan.rows[1].reason == "waits: crm 'C2' has not been sent yet"


def test_references_in_arrays_in_paths_and_by_key_column(database: Database) -> None:
    known = ledger_entry(state="succeeded", payload_hash="x", succeeded_hash="x", invoiced_id="12")
    others = {"crm": {"C1": known}, "bills": {"B1": known}}
    payment = planned(
        database,
        "record_payment",
        {"bill": "B1", "amount": 5},
        others=others,
        records={"bills": {"B1": {"id": 12, "currency": "eur"}}},
        mapping={
            "amount": "amount",
            "currency": "@bills[bill].currency",
            "applied_to.0.type": {"value": "invoice"},
            "applied_to.0.invoice": "@bills[bill].id",
            "applied_to.0.amount": "amount",
        },
    )
    assert payment.body == {
        "amount": 5,
        "currency": "eur",
        "applied_to": [{"type": "invoice", "invoice": 12, "amount": 5}],
    }
    contact = planned(
        database,
        "add_contact",
        {"key": "C1", "name": "Ann"},
        others={"crm": {"C1": known}},
        mapping={"customer": "@crm.id"},
    )
    assert contact.path == "/customers/12/contacts"
    assert contact.body == {"name": "Ann"}


def test_updates_send_what_differs_from_the_replica(
    emulator: Emulator, replicate: Replica, database: Database
) -> None:
    record = customer(
        1, email="a@x.example", country="US", phone="1", credit_limit=Decimal("10.50"),
        metadata={"a": "1", MARKER: "m"}, currency="usd", active=True,
    )  # fmt: skip
    emulator.store.put_many("customers", [record])
    replicate.ok("customers")

    def update(**fields: Any) -> Any:
        return planned(database, "update_customer", {"id": 1, **fields})

    same = update(
        name="Customer 1 ", email=" A@X.example", country="us", credit_limit=10.5, currency="USD"
    )
    assert same.action == "unchanged"
    row = update(name="Customer 1", phone="2", credit_limit=Decimal("10.51"))
    assert row.body == {"phone": "2", "credit_limit": Decimal("10.51")}
    assert row.changes == (
        Change("phone", "1", "2"),
        Change("credit_limit", Decimal("10.50"), Decimal("10.51")),
    )
    whole = update(metadata={"b": 2})
    assert whole.body == {"metadata": {"b": 2}}
    assert whole.changes == (Change("metadata", {"a": "1"}, {"b": 2}),)
    single = planned(database, "update_customer", {"id": 1, "b": 2}, mapping={"metadata.b": "b"})
    assert single.body == {"metadata": {"b": 2}}
    assert single.changes == (Change("metadata", None, {"b": 2}),)
    assert (single.parts, single.reads_first) == ((("metadata", "b"),), True)
    assert update(metadata={"a": 1}).action == "unchanged"
    assert update(phone=None).action == "unchanged"
    cleared = planned(database, "update_customer", {"id": 1, "phone": None}, clear_nulls=True)
    assert cleared.body == {"phone": None}


def test_a_deleted_record_is_not_updated(
    emulator: Emulator, replicate: Replica, database: Database
) -> None:
    emulator.store.put_many("customers", [customer(1)])
    replicate.ok("customers")
    with database.session("invoiced") as session:
        session.run("update customers set _deleted_at = current_timestamp")
    row = planned(database, "update_customer", {"id": 1, "phone": "2"})
    assert "was deleted in Invoiced" in (row.reason or "")


def test_tables_that_are_not_replicated_are_not_checked(database: Database) -> None:
    plan = plan_of(database, "create_invoice", {"customer": 9, "items": []})
    assert actions(plan) == ["create"]
    assert plan.notes == ("Not checked, because they are not replicated: customers.",)


def test_check_replica_turns_the_check_off(
    emulator: Emulator, replicate: Replica, database: Database
) -> None:
    emulator.store.put_many("customers", [customer(1)])
    replicate.ok("customers")
    row = {"customer": 9, "items": []}
    assert planned(database, "create_invoice", row).action == "invalid"
    assert planned(database, "create_invoice", row, check_replica=False).action == "create"


def test_a_marker_takes_one_key_of_metadata(database: Database) -> None:
    ten = {str(number): "x" for number in range(10)}
    row = planned(database, "create_customer", {"name": "a", "metadata": ten})
    assert "the marker takes one more" in (row.reason or "")
    numbered = {"name": "a", "number": "C1", "metadata": ten}
    assert planned(database, "create_customer", numbered).action == "create"


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"active": False}, "is not active: nothing was sent"),
        ({"max_records": 1}, "would send 2, but max_records = 1"),
        ({"max_amount": 5}, "would send 7, but max_amount = 5"),
        ({"max_records": 2, "max_amount": 7}, None),
    ],
)
def test_limits(database: Database, settings: dict[str, Any], message: str | None) -> None:
    plan = plan_of(database, "record_payment", {"amount": 3}, {"amount": 4}, **settings)
    refusal = plan.refusal()
    assert (refusal is None) == (message is None)
    assert (message or "") in (refusal or "")


CUSTOM = {"method": "POST", "path": "/notes"}


def batches(plan: Plan) -> list[int | None]:
    return [row.batch for row in plan.rows]


def test_custom_rows_are_sent_as_arrays(database: Database) -> None:
    rows = [{"notes": str(number), "team": number % 2} for number in range(5)]
    assert batches(plan_of(database, "custom", *rows, **CUSTOM)) == [0] * 5
    assert batches(plan_of(database, "custom", *rows, **CUSTOM, batch_size=2)) == [0, 0, 1, 1, 2]
    assert batches(plan_of(database, "custom", *rows, **CUSTOM, batch_size=1)) == [None] * 5
    assert batches(plan_of(database, "custom", *rows, **CUSTOM, group_by=3)) == [0, 0, 0, 1, 1]
    assert batches(plan_of(database, "custom", *rows, **CUSTOM, group_by="team")) == [0, 1, 0, 1, 0]
    doubled = [{"key": key, "notes": key} for key in ("a", "b", "a")]
    assert batches(plan_of(database, "custom", *doubled, **CUSTOM)) == [0, 0, 1]


def test_custom_paths_take_parameters_from_the_row(database: Database) -> None:
    settings = {"method": "PATCH", "path": "/customers/{customer}/contacts/{contact}"}
    row = {"customer": 1, "contact": "a/b", "name": "Ann"}
    found = planned(database, "custom", row, **settings)
    assert (found.method, found.path) == ("PATCH", "/customers/1/contacts/a%2Fb")
    assert (found.body, found.batch) == ({"name": "Ann"}, None)
    missing = planned(database, "custom", {"customer": 1, "name": "Ann"}, **settings)
    assert "contact is missing" in (missing.reason or "")
    delete = {"method": "DELETE", "path": "/notes/{id}"}
    assert planned(database, "custom", {"id": 1}, **delete).action == "invalid"
    allowed = planned(database, "custom", {"id": 1}, **delete, allow_deletes=True)
    assert (allowed.action, allowed.body) == ("delete", None)
