"""Records nested too deeply for a parser: each is a reject, and all others load."""

import json
from typing import Any

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline_tests.conftest import NOW, Replica, customer, invoice
from invoiced_pipeline_tests.invoiced.handmade import HandmadeApi, Reply

LEVELS = [900, 3000, 4990, 50_000]
"""Below and above Python's limit, which depends on the depth of the call stack."""
SHAPES = {
    "objects": ('{"a":', "1", "}"),
    "arrays": ("[", "", "]"),
    "elements": ('[{"items":', '"x"', "}]"),
}


def nested(levels: int, shape: str) -> str:
    opening, middle, closing = SHAPES[shape]
    return opening * levels + middle + closing * levels


def page(*records: dict[str, Any], **texts: str) -> bytes:
    """A page of records; a value that is a key of `texts` is replaced by that JSON."""
    body = json.dumps(records)
    for name, text in texts.items():
        body = body.replace(f'"{name}"', text)
    return body.encode()


def served(path: str, body: bytes, count: int = 1) -> Any:
    """A list with one page of `count` records for every request; all other lists are empty."""

    def reply(asked: str, query: dict[str, str]) -> Reply:
        wanted = asked == path and query.get("page", "1") == "1" and not _is_past(query)
        return 200, {"X-Total-Count": str(count if wanted else 0)}, body if wanted else b"[]"

    return HandmadeApi(reply=reply)


def _is_past(query: dict[str, str]) -> bool:
    return int(query.get("updated_after", 0)) >= NOW


@pytest.mark.everywhere
@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("shape", SHAPES)
def test_deep_records_are_kept_aside(replicate: Replica, levels: int, shape: str) -> None:
    deep = nested(levels, shape)
    fields = {2: "metadata", 4: "items", 6: "unknown"}
    records = [invoice(n, NOW - n) for n in range(7, 0, -1)]
    for record in records:
        if record["id"] in fields:
            record[fields[record["id"]]] = "DEEP"
    with served("/invoices", page(*records, DEEP=deep), 7) as api:
        replicate.url = api.url
        report = replicate.ok("invoices")["invoices"]
    if levels >= 1000:
        assert report.rejected == len(fields)
    sql = "select table_name, id, reason, cast(record as text) from _rejected order by id"
    found = replicate.query(sql) if report.rejected else []
    aside = [int(identity) for _, identity, _, _ in found]
    assert (report.rows, report.rejected) == (7 - len(aside), len(aside))
    assert set(aside) <= set(fields)
    assert replicate.ids("invoices") == [n for n in range(1, 8) if n not in aside]
    for name, identity, reason, record in found:
        assert (name, reason) == ("invoices", "nested too deeply")
        assert f"INV-{identity}" in record
        assert record.replace(" ", "").count(deep[:1]) >= levels


@pytest.mark.parametrize("hidden", [{}, {"hash": ["email"]}, {"drop": ["email"]}])
def test_hidden_values_of_deep_records_are_hidden(
    replicate: Replica, hidden: dict[str, Any]
) -> None:
    """The search for them makes more calls per level than parsing."""
    replicate.tables = {"customers": hidden} if hidden else {}
    secret = "ada@example.com"
    depths = dict(enumerate([*LEVELS, 400], start=2))
    texts = {
        f"DEEP{n}": nested(levels, "objects").replace("1", f'"{secret}"', 1)
        for n, levels in depths.items()
    }
    records = [customer(n, NOW - n, email=secret) for n in range(7, 0, -1)]
    for record in records:
        if record["id"] in depths:
            record["metadata"] = f"DEEP{record['id']}"
    with served("/customers", page(*records, **texts), 7) as api:
        replicate.url = api.url
        report = replicate.ok("customers")["customers"]
    assert report.rows + report.rejected == 7
    assert {1, 7} <= set(replicate.ids("customers"))
    for table in ("customers", "_rejected"):
        for row in replicate.rows(table):
            assert not hidden or secret not in str(row)


def test_deletion_of_a_deep_record_is_seen(emulator: Emulator, replicate: Replica) -> None:
    emulator.store.put_many("customers", [customer(n) for n in (1, 2)])
    replicate.ok("customers", deletions="mark")
    event = {"id": 1, "type": "customer.deleted", "timestamp": NOW + 60}
    event["data"] = {"object": {"id": 2, "object": "customer", "metadata": "DEEP"}}
    with served("/events", page(event, DEEP=nested(3000, "objects"))) as api:
        replicate.url = api.url
        replicate.ok("customers", deletions="mark")
    marked = replicate.query("select id, _deleted_at is not null from customers order by id")
    assert marked == [(1, False), (2, True)]
