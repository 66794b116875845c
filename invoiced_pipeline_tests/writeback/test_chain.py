"""Customers, contacts, invoices and payments in one push: children wait for their parents."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from invoiced_emulator.server import Emulator
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.settings import Settings
from invoiced_pipeline.writeback.ledger.ledger import Entry, Ledger
from invoiced_pipeline.writeback.plan.send_decision import Retries
from invoiced_pipeline.writeback.push.context import PushContext, PushOptions
from invoiced_pipeline.writeback.push.report import PushReport
from invoiced_pipeline.writeback.run import push_writeback
from invoiced_pipeline_tests.warehouses import lasting_warehouse
from invoiced_pipeline_tests.writeback.push_harness import RETRY_POLICY, HandClock

CUSTOMERS = "crm,name,number\na,Acme,A-1\nb,Bolt,{number}\n"
TAKEN = {"id": 99, "object": "customer", "name": "Other", "number": "T-1", "created_at": 1}
CONTACTS = "id,crm,name\n1,a,Ann\n2,b,Bob\n"
INVOICES = "nr,crm,price\nI-1,a,100\nI-2,b,50.25\n"
PAYMENTS = "pay,nr,amount\np1,I-1,100\np2,I-2,50.25\n"


class Chain:
    """Four files, four write-backs, each referring to the one before."""

    def __init__(self, emulator: Emulator, folder: Path) -> None:
        self.emulator = emulator
        self.folder = folder
        self.database = lasting_warehouse(folder)
        with self.database.session("invoiced") as session:
            session.run("create table plans (_deleted_at timestamp with time zone)")
        self.clock = HandClock()
        self.write(number="T-1")
        emulator.store.put("customers", TAKEN)
        self.settings = Settings.model_validate(
            {
                "connection": [{"api_url": emulator.url}],
                "writeback": [
                    self.declared("customers", "create_customer", "crm", {}, ["crm"]),
                    self.declared(
                        "contacts", "add_contact", "id", {"customer": "@customers[crm].id"},
                        ["id", "crm"],
                    ),
                    self.declared(
                        "invoices", "create_invoice", "nr",
                        {
                            "customer": "@customers[crm].id",
                            "number": "nr",
                            "items": {"sql": "[{'name': 'Work', 'unit_cost': price}]"},
                        },
                        ["nr", "crm", "price"],
                    ),
                    self.declared(
                        "payments", "record_payment", "pay",
                        {
                            "applied_to.0.type": {"value": "invoice"},
                            "applied_to.0.invoice": "@invoices[nr].id",
                            "applied_to.0.amount": "amount",
                            "amount": "amount",
                        },
                        ["pay", "nr"],
                    ),
                ],
            }
        )  # fmt: skip

    def declared(
        self, name: str, operation: str, key: str, mapping: dict[str, Any], exclude: list[str]
    ) -> dict[str, Any]:
        source = str(self.folder / f"{name}.csv")
        options = {"mapping": mapping, "exclude": exclude, "active": True, "check_replica": False}
        return {"name": name, "operation": operation, "source": source, "key": key, **options}

    def write(self, *, number: str) -> None:
        files = {"customers": CUSTOMERS.format(number=number), "contacts": CONTACTS}
        files |= {"invoices": INVOICES, "payments": PAYMENTS}
        for name, text in files.items():
            (self.folder / f"{name}.csv").write_text(text, encoding="utf-8")

    def push(self, name: str, **options: Any) -> dict[str, PushReport]:
        key = SecretStr(self.emulator.api_key)
        client = InvoicedClient(self.emulator.url, key, retry_policy=RETRY_POLICY)
        context = PushContext(
            client=client,
            api_key=key,
            connection=self.settings.first,
            database=self.database,
            run_id="run",
            clock=self.clock,
        )
        try:
            reports = list(push_writeback(self.settings, name, context, PushOptions(**options)))
        finally:
            client.close()
        return {report.writeback: report for report in reports}

    def states(self, name: str) -> dict[str, str]:
        entries = Ledger(self.database, "invoiced").entries(name)
        return {key: entry.state for key, entry in sorted(entries.items())}


@pytest.fixture
def chain(emulator: Emulator, tmp_path: Path) -> Chain:
    return Chain(emulator, tmp_path)


def test_children_wait_for_their_parents(chain: Chain) -> None:
    first = {**chain.push("payments"), **chain.push("contacts")}
    assert chain.states("customers") == {"a": "succeeded", "b": "rejected"}
    for name, failed in (("contacts", "2"), ("invoices", "I-2"), ("payments", "p2")):
        assert chain.states(name)[failed] == "held", first[name].failures
        assert sorted(chain.states(name).values()) == ["held", "succeeded"]
        assert first[name].failure is None, "held rows wait, and do not fail the push"
    assert first["customers"].failure is not None
    assert chain.emulator.store.all("invoices")[0]["paid"]
    chain.write(number="B-1")
    chain.push("contacts")
    assert all(report.failure is None for report in chain.push("payments").values())
    for name in ("customers", "contacts", "invoices", "payments"):
        assert set(chain.states(name).values()) == {"succeeded"}
        assert chain.emulator.store.count(name) == 2 + (name == "customers")
    ours = [each for each in chain.emulator.store.all("customers") if each["id"] != TAKEN["id"]]
    (acme, bolt) = ours
    owners = {each["number"]: each["customer"] for each in chain.emulator.store.all("invoices")}
    assert owners == {"I-1": acme["id"], "I-2": bolt["id"]}
    assert [float(each["balance"]) for each in chain.emulator.store.all("invoices")] == [0, 0]


def test_parent_whose_response_was_lost_holds_its_children(chain: Chain) -> None:
    chain.write(number="B-1")
    chain.emulator.faults.next("drop_connection", method="POST", path="/customers")
    chain.clock.pause = lambda _: None  # nobody waits, so the outcome stays open
    reports = chain.push("payments")
    assert sorted(chain.states("customers").values()) == ["sent", "succeeded"]
    assert sorted(chain.states("payments").values()) == ["held", "succeeded"]
    assert reports["customers"].failure is not None


def test_rejected_rows_are_retried_only_on_request(chain: Chain) -> None:
    for _ in range(2):
        chain.push("customers")
    posts = [each for each in chain.emulator.requests if each[0] == "POST"]
    assert len(posts) == 2
    reports = chain.push("customers", retries=Retries(rejected=True))
    assert reports["customers"].states["rejected"] == 1
    assert len([each for each in chain.emulator.requests if each[0] == "POST"]) == 3


def test_push_reads_every_ledger_once(chain: Chain, monkeypatch: pytest.MonkeyPatch) -> None:
    reads: Counter[str] = Counter()
    entries = Ledger.entries

    def counted(ledger: Ledger, writeback: str) -> dict[str, Entry]:
        reads[writeback] += 1
        return entries(ledger, writeback)

    monkeypatch.setattr(Ledger, "entries", counted)
    chain.push("customers")
    assert reads == {"customers": 1}
    reads.clear()
    chain.push("invoices")
    # Once by the parent's push, once by the child's, which refers to it.
    assert reads == {"customers": 2, "invoices": 1}
