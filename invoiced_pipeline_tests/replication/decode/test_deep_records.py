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


def served(path: str, body: bytes) -> Any:
    """A list with one page for every request; all other lists are empty."""

    def reply(asked: str, query: dict[str, str]) -> Reply:
        wanted = asked == path and query.get("page", "1") == "1" and not _is_past(query)
        return 200, {"X-Total-Count": "3" if wanted else "0"}, body if wanted else b"[]"

    return HandmadeApi(reply=reply)


def _is_past(query: dict[str, str]) -> bool:
    return int(query.get("updated_after", 0)) >= NOW


@pytest.mark.everywhere
@pytest.mark.parametrize("levels", LEVELS)
@pytest.mark.parametrize("field", ["metadata", "items", "unknown"])
@pytest.mark.parametrize("shape", SHAPES)
def test_deep_record_is_kept_aside(replicate: Replica, levels: int, field: str, shape: str) -> None:
    deep = nested(levels, shape)
    records = [invoice(n, NOW - n) for n in (3, 2, 1)]
    records[1][field] = "DEEP"
    with served("/invoices", page(*records, DEEP=deep)) as api:
        replicate.url = api.url
        report = replicate.ok("invoices")["invoices"]
    if levels < 1000 and not report.rejected:
        assert replicate.ids("invoices") == [1, 2, 3]
        return
    assert (report.rows, report.rejected) == (2, 1)
    assert replicate.ids("invoices") == [1, 3]
    found = replicate.query("select table_name, id, reason, cast(record as text) from _rejected")
    (name, identity, reason, record), *others = found
    assert (name, identity, reason, others) == ("invoices", "2", "nested too deeply", [])
    assert "INV-2" in record
    assert record.replace(" ", "").count(deep[:1]) >= levels


@pytest.mark.parametrize("hidden", [{}, {"hash": ["email"]}, {"drop": ["email"]}])
@pytest.mark.parametrize("levels", [*LEVELS, 400])
def test_hidden_values_of_a_deep_record_are_hidden(
    replicate: Replica, levels: int, hidden: dict[str, Any]
) -> None:
    """The search for them makes more calls per level than parsing."""
    replicate.tables = {"customers": hidden} if hidden else {}
    secret = "ada@example.com"
    deep = nested(levels, "objects").replace("1", f'"{secret}"', 1)
    records = [customer(n, NOW - n, email=secret) for n in (3, 2, 1)]
    records[1]["metadata"] = "DEEP"
    with served("/customers", page(*records, DEEP=deep)) as api:
        replicate.url = api.url
        report = replicate.ok("customers")["customers"]
    assert report.rows + report.rejected == 3
    assert replicate.ids("customers")[:1] == [1]
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
