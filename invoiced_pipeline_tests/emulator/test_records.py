"""Stored records: exact numbers, unusual content, selected fields, loaded files."""

from decimal import Decimal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoiced_emulator.protocol.exact_json import decode, encode
from invoiced_emulator.records.json_files import load_directory
from invoiced_emulator.records.store import Store

ODD = {
    "id": 7,
    "object": "invoice",
    "notes": "x" * 2_000_000 + 'é\u2028\x00😀"\\',
    "metadata": {"": "empty", "a.b[c]": "1", "ключ": "значение"},
    "unknown_field": {"nested": [None, True, {"z": 1, "a": 2}]},
    "updated_at": -62_169_984_000,
    "items": [],
}


def test_unusual_content_is_returned_unchanged(api):
    api.emulator.store.put("invoices", ODD)
    assert api.ok("GET", "/invoices/7") == ODD
    assert api.ok("GET", "/invoices") == [ODD]
    assert api.emulator.store.get("invoices", 7) == ODD


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Decimal("100.00"), "100"),
        (Decimal("1000000000000000.01"), "1000000000000000.01"),
        (Decimal("0.0000000001"), "0.0000000001"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-0.00"), "0"),
        (51.15, "51.15"),
        (1e-10, "0.0000000001"),
        (2.0, "2"),
        (2**70, str(2**70)),
    ],
)
def test_numbers_are_exact(api, number, text):
    api.emulator.store.put("invoices", {"id": 1, "total": number})
    assert api.get("/invoices/1").text == f'{{"id":1,"total":{text}}}'


@given(st.decimals(allow_nan=False, allow_infinity=False, places=10))
def test_decimals_survive_a_json_round_trip(number):
    text = encode([number]).decode()
    assert decode(text) == [number]
    assert "e" not in text.lower()


def test_include_exclude_and_expand(api):
    store = api.emulator.store
    store.put("customers", {"id": 1, "name": "Parent"})
    store.put("customers", {"id": 2, "name": "Child", "parent_customer": 1, "aging": []})
    store.put("items", {"id": "it", "name": "Item"})
    store.put(
        "invoices",
        {
            "id": 3,
            "customer": 2,
            "amount_paid": Decimal("1.50"),
            "taxes": [],
            "discounts": [],
            "items": [{"id": 1, "catalog_item": "it"}],
        },
    )
    assert set(api.ok("GET", "/invoices/3")) == {"id", "customer", "taxes", "discounts", "items"}
    shown = api.ok("GET", "/invoices?include=amount_paid,nonsense,customerName&exclude=items")[0]
    assert shown["amount_paid"] == Decimal("1.5")
    assert (shown["nonsense"], shown["customerName"]) == (None, "Child")
    assert "items" not in shown
    assert list(shown) == sorted(shown)
    assert set(api.ok("GET", "/invoices/3?exclude=rates")) == {"id", "customer", "items"}
    expanded = api.ok("GET", "/invoices/3?expand=customer.parent_customer,items.catalog_item,x")
    assert expanded["customer"]["parent_customer"] == {"id": 1, "name": "Parent"}
    assert expanded["items"][0]["catalog_item"]["name"] == "Item"
    assert "aging" not in expanded["customer"]


def test_store_works_without_http(tmp_path):
    store = Store(tmp_path / "emulator.db")
    assert store.put_many("customers", ({"id": i} for i in range(1, 2501))) == 2500
    assert (store.count("customers"), store.get("customers", 9)) == (2500, {"id": 9})
    store.remove("customers", 9)
    assert store.get("customers", 9) is None
    store.close()
    again = Store(tmp_path / "emulator.db")
    assert again.count("customers") == 2499
    assert again.next_key("customers") == 2501
    again.close()


def test_rolled_back_transaction_writes_nothing(tmp_path):
    store = Store()

    def interrupted():
        with store.transaction():
            store.put("customers", {"id": 1})
            raise RuntimeError

    with pytest.raises(RuntimeError):
        interrupted()
    assert store.count("customers") == 0


def test_load_directory(api, tmp_path):
    def write(name, value):
        (tmp_path / name).write_bytes(msgspec.json.encode(value))

    write("invoices.a.json", [{"id": 1, "object": "invoice", "name": "a"}, {"id": 2}])
    write("invoices.object.json", {"id": 1, "object": "invoice", "name": "whole"})
    write("invoices.z.json", {"id": 1, "object": "invoice", "name": "z"})
    write("tasks.object.json", {"id": 4, "name": "Call"})
    write("discounts.object.json", {"id": 9, "object": "discount"})
    (tmp_path / "broken.json").write_text("{", encoding="utf-8")
    (tmp_path / "plans.object.json").write_text(
        '{"id":"p","object":"plan","amount":107.305}', encoding="utf-8"
    )
    loaded = load_directory(api.emulator.store, tmp_path)
    assert loaded.counts == {"invoices": 2, "tasks": 1, "plans": 1}
    assert len(loaded.skipped) == 2
    assert api.ok("GET", "/invoices/1")["name"] == "whole"
    assert api.ok("GET", "/plans/p") == {"amount": Decimal("107.305"), "id": "p", "object": "plan"}
