"""Random selections: selected tables always have the same rows, values and marks."""

import random
from dataclasses import replace
from typing import Any

import httpx
import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLES, Table
from invoiced_pipeline.selection.tables import all_tables_of, tables_of
from invoiced_pipeline_tests.conftest import NOW, Replica, customer

MONEY = ["transactions", "credit_balance_adjustments"]


class Account:
    """An account whose users delete records in every possible way, in two steps."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator
        self._made: dict[str, Any] = {}

    def call(self, method: str, path: str, body: Any = None) -> Any:
        self._emulator.clock.advance(60)
        auth = (self._emulator.api_key, "")
        answer = httpx.request(method, f"{self._emulator.url}{path}", json=body, auth=auth)
        assert answer.status_code < 300, answer.text
        return answer.json() if answer.content else None

    def begin(self) -> None:
        for record_id in (1, 2, 3):
            self._emulator.store.put("customers", customer(record_id, currency="usd"))
        body = {"customer": 1, "items": [{"name": "Hosting", "unit_cost": 50}]}
        first, second, third = (self.call("POST", "/invoices", body) for _ in range(3))
        for payment in ("voided", "anew"):
            applied = [
                {"type": "invoice", "invoice": first["id"], "amount": 4},
                {"type": "invoice", "invoice": second["id"], "amount": 3},
                {"type": "credit", "amount": 3},
            ]
            body = {"customer": 1, "amount": 10, "applied_to": applied}
            self._made[payment] = self.call("POST", "/payments", body)["id"]
        self._made |= {"first": first["id"], "invoice": third["id"]}
        credit = {"customer": 1, "amount": 5}
        self._made["credit"] = self.call("POST", "/credit_balance_adjustments", credit)["id"]
        self.call("POST", "/credit_balance_adjustments", credit)
        self.call("POST", "/credit_balance_adjustments", credit | {"customer": 2})
        self.call("POST", "/payments", {"customer": 2, "amount": 5})
        draft = {"customer": 1, "items": [{"unit_cost": 5}]}
        self._made["estimate"] = self.call("POST", "/estimates", draft)["id"]
        self.call("POST", "/credit_notes", draft)
        plan = {"amount": 5, "interval": "month", "interval_count": 1, "name": "P"}
        for name in ("kept", "archived"):
            self.call("POST", "/plans", plan | {"id": name})

    def go_on(self) -> None:
        self.call("DELETE", f"/payments/{self._made['voided']}")
        applied = [{"type": "invoice", "invoice": self._made["first"], "amount": 7}]
        applied.append({"type": "credit", "amount": 3})
        self.call("PATCH", f"/payments/{self._made['anew']}", {"applied_to": applied})
        self.call("DELETE", f"/credit_balance_adjustments/{self._made['credit']}")
        self.call("DELETE", f"/invoices/{self._made['invoice']}")
        self.call("DELETE", f"/estimates/{self._made['estimate']}")
        self.call("DELETE", "/plans/archived")
        self.call("DELETE", "/customers/2")
        self.call("POST", "/plans", {"id": "archived", "name": "Anew", "amount": 6,
                                     "interval": "month", "interval_count": 1})  # fmt: skip


def some_columns(chosen: random.Random, table: Table) -> dict[str, Any]:
    """Random settings of one table."""
    names = [column.name for column in table.columns]
    own: dict[str, Any] = {"children": chosen.random() < 0.6}
    keys = table.always_read | {key.column for key in table.foreign_keys}
    texts = [each.name for each in table.columns if each.type == "text" and each.name not in keys]
    own["hash"] = chosen.sample(texts, min(len(texts), chosen.choice((0, 0, 1, 3))))
    rest = [name for name in names if name not in own["hash"]]
    how = chosen.choice(("all", "include", "exclude"))
    if how != "all":
        own[how] = chosen.sample(rest, chosen.randint(1, len(rest)))
    own["method"] = chosen.choice(("incremental", "incremental", "full"))
    return own


def selection(seed: int) -> dict[str, Any]:
    """Random `[connection.tables]`."""
    chosen = random.Random(seed)  # noqa: S311 - seeded
    tables = chosen.sample(TABLES, chosen.randint(1, len(TABLES)))
    return {
        "include": [table.name for table in tables],
        **{table.name: some_columns(chosen, table) for table in tables},
    }


def seen(replica: Replica, table: Table) -> dict[Any, Any]:
    """Kept values and deletion mark of every row, by id."""
    kept = [column.name for column in table.columns if column.treatment == "kept"]
    return {
        row["id"]: ({name: row[name] for name in kept}, row["_deleted_at"] is not None)
        for row in replica.rows(table.name, "id")
    }


SELECTIONS = [
    {"include": ["transactions"]},
    {"include": ["credit_balance_adjustments"], "children": False},
    {"transactions": {"include": ["amount"]}, "payments": {"exclude": ["applied_to", "customer"]}},
]


@pytest.mark.parametrize(
    "tables",
    [
        *(pytest.param(tables, id=f"chosen {number}") for number, tables in enumerate(SELECTIONS)),
        pytest.param(selection(0), id="random 0"),
        *(
            pytest.param(
                selection(seed), id=f"random {seed}", marks=[pytest.mark.slow, pytest.mark.random]
            )
            for seed in range(1, 20)
        ),
    ],
)
def test_rows_and_marks_are_those_of_the_whole(
    tables: dict[str, Any], emulator: Emulator, replicate: Replica
) -> None:
    account, some = Account(emulator), replace(replicate, dataset="some", tables=tables)
    emulator.clock.set(NOW)
    for step in (account.begin, account.go_on):
        step()
        emulator.clock.advance(3600)
        for replica in (replicate, some):
            replica.ok(deletions="mark")
    settings = some.settings()
    for table in tables_of(settings, settings.first):
        whole, found = seen(replicate, table), seen(some, table)
        assert found == whole, table.name
        children = {child.array for child in table.children}
        for child in table.children:
            name = table.child_name(child)
            order = f"{table.parent_column}, _index"
            assert [row["_deleted_at"] is None for row in some.rows(name, order)] == [
                row["_deleted_at"] is None for row in replicate.rows(name, order)
            ]
        assert children <= {child.array for child in table.children}
    every = {table.name: table for table in all_tables_of(settings.first)}
    gone = [mark for name in MONEY for _, mark in seen(replicate, every[name]).values()]
    assert any(gone), "the account lost nothing: the test shows nothing"
