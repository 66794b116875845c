"""Updates of parts of a field keep the rest of it, whatever the replica holds."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import urllib3
from pydantic import SecretStr

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog.operations import MARKER
from invoiced_pipeline.defs.writeback.metadata import plan_metadata
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.settings import Settings
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.writeback.ledger.ledger import Entry, Ledger
from invoiced_pipeline.writeback.plan.current_plan import plan_writeback
from invoiced_pipeline.writeback.plan.plan import Plan
from invoiced_pipeline.writeback.plan.replaced_fields import replaced_notes, requests_of
from invoiced_pipeline.writeback.push.context import PushContext, PushOptions
from invoiced_pipeline.writeback.push.report import PushReport
from invoiced_pipeline.writeback.run import push_writeback
from invoiced_pipeline_tests.conftest import Replica, customer
from invoiced_pipeline_tests.writeback.push_harness import LONG, RETRY_POLICY, HandClock

STATES = ["current", "stale", "lacking", "dropped", "hashed", "not replicated", "unchecked"]
Hook = Callable[[], object]


@dataclass
class Updating:
    """One write-back with an NDJSON file as its source, planned and pushed repeatedly."""

    emulator: Emulator
    database: Database
    folder: Path
    replicate: Replica
    clock: HandClock = field(default_factory=HandClock)
    settings: dict[str, Any] = field(default_factory=dict)

    def source(self, *rows: Mapping[str, Any]) -> None:
        text = "\n".join(json.dumps({"key": f"k{at}", **row}) for at, row in enumerate(rows))
        (self.folder / "rows.ndjson").write_text(text, encoding="utf-8")

    def declare(self, operation: str, mapping: Mapping[str, Any], **options: Any) -> None:
        columns = [value for value in mapping.values() if isinstance(value, str)]
        self.settings = {
            "name": "it",
            "operation": operation,
            "source": str(self.folder / "rows.ndjson"),
            "key": "key",
            "mapping": mapping,
            "exclude": [] if "key" in columns else ["key"],
            "active": True,
        } | options

    @property
    def _all(self) -> Settings:
        connection = {"api_url": self.emulator.url}
        return Settings.model_validate({"connection": [connection], "writeback": [self.settings]})

    def plan(self) -> Plan:
        return plan_writeback(self._all, "it", self.database)

    def push(self, *, meanwhile: Hook | None = None) -> PushReport:
        key = SecretStr(self.emulator.api_key)
        client = InvoicedClient(self.emulator.url, key, retry_policy=RETRY_POLICY)
        context = PushContext(
            client=client,
            api_key=key,
            connection=self._all.first,
            database=self.database,
            run_id="run",
            clock=self.clock,
        )

        def on_plan(_: Plan) -> None:
            if meanwhile is not None:
                meanwhile()

        options = PushOptions(on_plan=on_plan)
        try:
            (report,) = push_writeback(self._all, "it", context, options)
        finally:
            client.close()
        return report

    def api(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Sends a request as another client."""
        headers = urllib3.make_headers(basic_auth=f"{self.emulator.api_key}:")
        headers["Content-Type"] = "application/json"
        content = None if body is None else json.dumps(body)
        url = self.emulator.url + path
        answer = urllib3.PoolManager().request(method, url, body=content, headers=headers)
        assert answer.status < 300, answer.data
        return answer.json()

    def entry(self, key: str = "k0") -> Entry:
        return Ledger(self.database, "invoiced").entries("it")[key]

    def counted(self, method: str) -> int:
        return sum(each[0] == method for each in self.emulator.requests)

    def in_state(self, state: str, table: str, identity: int) -> None:
        """Puts the replica into a state; the record in the emulator does not change."""
        if state == "unchecked":
            self.settings["check_replica"] = False
        if state in {"not replicated", "unchecked"}:
            with self.database.session("invoiced") as session:
                session.run("create table plans (_deleted_at timestamp with time zone)")
            return
        self.replicate.ok("customers", *({table} - {"customers"}))
        damage = {
            "stale": f"update {table} set metadata = '{{}}' where id = {identity}",
            "lacking": f"delete from {table} where id = {identity}",
            "dropped": f"alter table {table} drop column metadata",
            "hashed": f"update {table} set metadata = '\"b1946ac92492d234\"'",
        }
        if state == "lacking":
            self.settings["check_replica"] = False
        if state in damage:
            with self.database.session("invoiced") as session:
                session.run(damage[state])


@pytest.fixture
def updating(
    emulator: Emulator, database: Database, replicate: Replica, tmp_path: Path
) -> Updating:
    return Updating(emulator, database, tmp_path, replicate)


@pytest.fixture
def an_invoice(emulator: Emulator, updating: Updating) -> dict[str, Any]:
    """An open invoice with two lines, metadata and an address."""
    emulator.store.put("customers", customer(1, metadata={}))
    lines = [
        {"name": "One", "quantity": 1, "unit_cost": 10, "metadata": {"cost_centre": "7"}},
        {"name": "Two", "quantity": 2, "unit_cost": 5, "description": "Long text"},
    ]
    body = {
        "customer": 1,
        "items": lines,
        "metadata": {"po": "77", MARKER: "m"},
        "ship_to": {"name": "Ann", "city": "Rome", "country": "IT"},
    }
    return updating.api("POST", "/invoices", body)


@pytest.mark.parametrize("state", STATES)
def test_other_keys_of_metadata_stay(emulator: Emulator, updating: Updating, state: str) -> None:
    emulator.store.put("customers", customer(1, metadata={"erp": "9", MARKER: "m", "crm": "old"}))
    updating.source({"id": 1, "crm": "C-1"})
    updating.declare("update_customer", {"metadata.crm": "crm"})
    updating.in_state(state, "customers", 1)

    def meanwhile() -> None:
        metadata = {"erp": "10", MARKER: "m", "crm": "old", "new": "x"}
        updating.api("PATCH", "/customers/1", {"metadata": metadata, "notes": "called"})

    (row,) = updating.plan().rows
    assert row.body == {"metadata": {"crm": "C-1"}}
    assert row.wanted == {"metadata": {"crm": "C-1"}}
    before = {"current": {"crm": "old"}}
    assert [each.before for each in row.changes] in ([before.get(state)], [])
    report = updating.push(meanwhile=meanwhile)
    assert (report.failure, report.verified, report.drifted) == (None, 1, {})
    record = updating.api("GET", "/customers/1")
    assert record["metadata"] == {"erp": "10", MARKER: "m", "crm": "C-1", "new": "x"}
    assert record["notes"] == "called"


@pytest.mark.parametrize("state", STATES)
def test_the_marker_stays_in_metadata_that_is_mapped_whole(
    emulator: Emulator, updating: Updating, state: str
) -> None:
    emulator.store.put("customers", customer(1, metadata={"erp": "9", MARKER: "m"}))
    updating.source({"id": 1, "all": {"crm": "C-1"}})
    updating.declare("update_customer", {"metadata": "all"})
    updating.in_state(state, "customers", 1)
    report = updating.push()
    assert (report.failure, report.verified) == (None, 1)
    assert updating.api("GET", "/customers/1")["metadata"] == {"crm": "C-1", MARKER: "m"}
    if state == "current":
        assert updating.plan().counts["unchanged"] == 1


def test_metadata_that_is_cleared_keeps_the_marker(emulator: Emulator, updating: Updating) -> None:
    emulator.store.put("customers", customer(1, metadata={"erp": "9", MARKER: "m"}))
    updating.source({"id": 1, "all": None})
    updating.declare("update_customer", {"metadata": "all"}, clear_nulls=True)
    updating.in_state("current", "customers", 1)
    assert updating.push().failure is None
    assert updating.api("GET", "/customers/1")["metadata"] == {MARKER: "m"}
    assert updating.plan().counts["unchanged"] == 1


@pytest.mark.parametrize("state", STATES)
def test_other_lines_and_their_fields_stay(
    updating: Updating, an_invoice: dict[str, Any], state: str
) -> None:
    identity = an_invoice["id"]
    updating.source({"id": identity, "count": 5})
    updating.declare("update_invoice", {"items.1.quantity": "count"})
    updating.in_state(state, "invoices", identity)
    first, second = an_invoice["items"]

    def meanwhile() -> None:
        lines = [{"id": first["id"], "name": "Uno"}, {"id": second["id"]}, {"name": "Three"}]
        updating.api("PATCH", f"/invoices/{identity}", {"items": lines})

    report = updating.push(meanwhile=meanwhile)
    assert (report.failure, report.verified) == (None, 1)
    record = updating.api("GET", f"/invoices/{identity}")
    assert [line["id"] for line in record["items"][:2]] == [first["id"], second["id"]]
    assert [line["name"] for line in record["items"]] == ["Uno", "Two", "Three"]
    assert [line["quantity"] for line in record["items"]] == [1, 5, 1]
    assert record["items"][0]["metadata"] == {"cost_centre": "7"}
    assert record["items"][1]["description"] == "Long text"
    assert record["metadata"] == an_invoice["metadata"]


@pytest.mark.parametrize("state", STATES)
def test_other_fields_of_an_object_stay(
    updating: Updating, an_invoice: dict[str, Any], state: str
) -> None:
    identity = an_invoice["id"]
    updating.source({"id": identity, "town": "Turin"})
    updating.declare("update_invoice", {"ship_to.city": "town"})
    updating.in_state(state, "invoices", identity)
    report = updating.push()
    assert (report.failure, report.verified) == (None, 1)
    address = updating.api("GET", f"/invoices/{identity}")["ship_to"]
    assert [address[name] for name in ("name", "city", "country")] == ["Ann", "Turin", "IT"]


def test_parts_of_rates_and_of_hidden_fields(
    emulator: Emulator, updating: Updating, an_invoice: dict[str, Any]
) -> None:
    identity = an_invoice["id"]
    rate = {"object": "tax_rate", "is_percent": True, "value": 10, "currency": None}
    for name in ("vat", "city", "other"):
        emulator.store.put("tax_rates", {"id": name, "name": name, **rate})
    body = {"taxes": ["vat", "city"], "tags": ["a", "b"], "closed": False}
    updating.api("PATCH", f"/invoices/{identity}", body)
    updating.source({"id": identity, "tax": "other", "tag": "c"})
    updating.declare("update_invoice", {"taxes.1": "tax", "tags.0": "tag"}, check_replica=False)
    assert updating.push().failure is None
    record = updating.api("GET", f"/invoices/{identity}?include=tags")
    assert [tax["tax_rate"]["id"] for tax in record["taxes"]] == ["vat", "other"]
    assert record["tags"] == ["c", "b"]


def test_part_that_cannot_be_read_is_invalid(
    updating: Updating, an_invoice: dict[str, Any]
) -> None:
    updating.source({"id": an_invoice["id"], "file": 3})
    updating.declare("update_invoice", {"attachments.0": "file"}, check_replica=False)
    (row,) = updating.plan().rows
    assert row.action == "invalid"
    assert "Map the whole of attachments" in (row.reason or "")


def test_line_beyond_the_last_one(updating: Updating, an_invoice: dict[str, Any]) -> None:
    identity = an_invoice["id"]
    updating.source({"id": identity, "name": "New"})
    updating.declare("update_invoice", {"items.3.name": "name"}, check_replica=False)
    report = updating.push()
    assert "has 2 elements" in (updating.entry().error or "")
    assert report.states == {"planned": 1}
    assert updating.counted("PATCH") == 0
    updating.declare("update_invoice", {"items.2.name": "name"}, check_replica=False)
    assert updating.push().failure is None
    lines = updating.api("GET", f"/invoices/{identity}")["items"]
    assert [line["name"] for line in lines] == ["One", "Two", "New"]


@pytest.mark.parametrize(
    ("operation", "path", "row", "mapping", "others"),
    [
        ("create_customer", "/customers", {"name": "A", "crm": "1"}, {}, {"notes": "called"}),
        (
            "create_invoice",
            "/invoices",
            {"customer": 1, "line": "Work", "crm": "1"},
            {"items.0.name": "line", "items.0.unit_cost": {"value": 5}},
            {"notes": "called"},
        ),
    ],
)
def test_updates_after_a_create(  # noqa: PLR0917
    emulator: Emulator,
    updating: Updating,
    operation: str,
    path: str,
    row: dict[str, Any],
    mapping: dict[str, Any],
    others: dict[str, Any],
) -> None:
    emulator.store.put("customers", customer(1))
    mapping = {**mapping, "metadata.crm": "crm"}
    updating.declare(operation, mapping, check_replica=False)
    updating.source(row)
    assert updating.push().failure is None
    identity = updating.entry().invoiced_id
    record = updating.api("GET", f"{path}/{identity}")
    assert set(record["metadata"]) == {"crm", MARKER}
    metadata = {**record["metadata"], "erp": "9"}
    updating.api("PATCH", f"{path}/{identity}", {"metadata": metadata, **others})
    updating.source({**row, "crm": "2", "line": "Works"} if "line" in row else row | {"crm": "2"})
    assert updating.push().failure is None
    after = updating.api("GET", f"{path}/{identity}")
    assert after["metadata"] == {**metadata, "crm": "2"}
    assert {name: after[name] for name in others} == others
    if "line" in row:
        assert [each["id"] for each in after["items"]] == [each["id"] for each in record["items"]]
        assert after["items"][0]["name"] == "Works"


def test_create_and_update_of_one_key_in_one_push(updating: Updating) -> None:
    updating.declare("create_customer", {"metadata.crm": "crm"}, check_replica=False)
    (updating.folder / "rows.ndjson").write_text(
        '{"key": "k0", "name": "A", "crm": "1"}\n{"key": "k0", "name": "A", "crm": "2"}',
        encoding="utf-8",
    )
    assert updating.push().failure is None
    metadata = updating.api("GET", f"/customers/{updating.entry().invoiced_id}")["metadata"]
    assert (metadata["crm"], set(metadata)) == ("2", {"crm", MARKER})


def test_contact_keeps_what_its_row_does_not_map(emulator: Emulator, updating: Updating) -> None:
    emulator.store.put("customers", customer(1))
    updating.declare("add_contact", {}, check_replica=False)
    updating.source({"customer": 1, "name": "Ann", "phone": "1"})
    assert updating.push().failure is None
    path = f"/customers/1/contacts/{updating.entry().invoiced_id}"
    updating.api("PATCH", path, {"title": "Boss", "city": "Rome"})
    updating.source({"customer": 1, "name": "Ann", "phone": "2"})
    assert updating.push().failure is None
    contact = updating.api("GET", path)
    assert [contact[name] for name in ("title", "city", "phone")] == ["Boss", "Rome", "2"]


def test_custom_update_keeps_other_parts(emulator: Emulator, updating: Updating) -> None:
    emulator.store.put("customers", customer(1, metadata={"erp": "9", MARKER: "m"}))
    options = {"method": "PATCH", "path": "/customers/{id}"}
    updating.source({"id": 1, "crm": "1"})
    updating.declare("custom", {"metadata.crm": "crm"}, **options)
    assert updating.push().failure is None
    metadata = updating.api("GET", "/customers/1")["metadata"]
    assert metadata == {"erp": "9", MARKER: "m", "crm": "1"}


@pytest.mark.parametrize("change", ["beside", "none"])
def test_lost_answer_is_recognised_by_the_parts_alone(
    emulator: Emulator, updating: Updating, change: str
) -> None:
    emulator.store.put("customers", customer(1, metadata={"erp": "9"}))
    updating.source({"id": 1, "crm": 5})
    updating.declare("update_customer", {"metadata.crm": "crm"}, check_replica=False)
    emulator.faults.next("lose_response", method="PATCH")
    # The record is read before, and cannot be looked up afterwards.
    emulator.faults.next("rate5xx", 6, method="GET", path="/customers/1", skip=1)

    def meanwhile() -> None:
        metadata = {"erp": "10", "crm": "5"}
        updating.api("PATCH", "/customers/1", {"metadata": metadata})

    updating.push()
    assert updating.entry().state == "sent"
    if change == "beside":
        meanwhile()
    updating.clock.at += LONG
    sent = updating.counted("PATCH")
    assert updating.push().failure is None
    assert updating.entry().state == "succeeded"
    assert updating.counted("PATCH") == sent
    erp = "10" if change == "beside" else "9"
    assert updating.api("GET", "/customers/1")["metadata"] == {"erp": erp, "crm": "5"}


def test_each_attempt_reads_the_record_again(emulator: Emulator, updating: Updating) -> None:
    emulator.store.put("customers", customer(1, metadata={"erp": "9"}))
    updating.source({"id": 1, "crm": "1"})
    updating.declare("update_customer", {"metadata.crm": "crm"}, check_replica=False)
    emulator.faults.next("drop_connection", method="PATCH")

    def meanwhile() -> None:
        updating.api("PATCH", "/customers/1", {"metadata": {"erp": "10"}})

    updating.clock.on_pause = meanwhile
    assert updating.push().failure is None
    assert updating.clock.pauses, "the first attempt was waited out"
    assert updating.api("GET", "/customers/1")["metadata"] == {"erp": "10", "crm": "1"}


@pytest.mark.parametrize("mapping", [{"metadata.crm": "crm"}, {"metadata": "all"}])
@pytest.mark.parametrize("failure", ["not found", "error"])
def test_nothing_is_sent_where_the_record_cannot_be_read(
    emulator: Emulator, updating: Updating, mapping: dict[str, str], failure: str
) -> None:
    identity = 1 if failure == "error" else 2
    emulator.store.put("customers", customer(1, metadata={"erp": "9"}))
    updating.source({"id": identity, "crm": "1", "all": {"crm": "1"}})
    left = {"crm", "all"} - set(mapping.values())
    updating.declare("update_customer", mapping, check_replica=False)
    updating.settings["exclude"] = ["key", *left]
    if failure == "error":
        emulator.faults.next("rate5xx", 10, method="GET", path="/customers/1")
    report = updating.push()
    assert report.failure is not None
    assert updating.counted("PATCH") == 0
    entry = updating.entry()
    said = {"not found": ("rejected", "was not found"), "error": ("planned", "could not be read")}
    assert entry.state == said[failure][0]
    assert said[failure][1] in (entry.error or "")


def test_the_plan_shows_what_is_replaced_and_counts_requests(
    emulator: Emulator, updating: Updating
) -> None:
    emulator.store.put_many("customers", [customer(n, metadata={"erp": "9"}) for n in (1, 2, 3)])
    updating.source(
        {"id": 1, "crm": "1", "name": "A"},
        {"id": 2, "crm": "2", "name": "B"},
        {"id": 3, "crm": None, "name": "C"},
    )
    updating.declare("update_customer", {"metadata.crm": "crm"}, check_replica=False)
    with updating.database.session("invoiced") as session:
        session.run("create table plans (_deleted_at timestamp with time zone)")
    plan = updating.plan()
    notes = replaced_notes(plan)
    assert notes[0].startswith("Invoiced replaces metadata as a whole. 2 rows set parts of it")
    assert "A push of this plan makes 6 requests, 2 of them to read" in notes[1]
    assert notes[0] in plan_metadata(plan, emulator.url)["notes"]
    assert updating.push().failure is None
    assert len(emulator.requests) == requests_of(plan)
