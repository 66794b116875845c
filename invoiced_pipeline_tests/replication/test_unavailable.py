"""Which responses mean that the account does not have a table, and which are errors."""

from typing import Any

from invoiced_emulator.protocol.errors import ApiError, feature_missing, forbidden, refused
from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLES
from invoiced_pipeline_tests.conftest import NOW, Replica, customer

REFUSALS = {
    "/subscriptions": feature_missing(),
    "/payments": forbidden(),
    "/plans": refused("Invalid filter parameter: feature"),
    "/estimates": refused("The text 'Your Invoiced account does not have access to this feature'"),
    "/credit_notes": ApiError(403, "Forbidden"),
    "/transactions": ApiError(401, "We could not authenticate you with the API Key: abc**lmn"),
    "/credit_balance_adjustments": ApiError(500, ""),
}


def test_only_the_api_s_own_words_make_a_table_unavailable(
    emulator: Emulator, replicate: Replica
) -> None:
    def refuse(path: str, _: Any) -> None:
        if path in REFUSALS:
            raise REFUSALS[path]

    emulator.on_request = refuse
    emulator.store.put("customers", customer(1))
    reports = replicate()
    unavailable = {name for name, each in reports.items() if each.unavailable}
    failed = {name for name, each in reports.items() if each.error}
    assert unavailable == {"subscriptions", "payments"}
    assert failed == {path[1:] for path in REFUSALS} - unavailable
    assert "a proxy or a firewall" in (reports["credit_notes"].error or "")
    # The tables exist, without rows, so that queries over all tables work.
    assert replicate.ids("subscriptions") == replicate.ids("payments") == []
    asked = [path for _, path, *_ in emulator.requests]
    assert asked.count("/subscriptions") == 1


def test_table_that_becomes_unavailable_midway_keeps_what_was_read(
    emulator: Emulator, replicate: Replica
) -> None:
    emulator.store.put_many("customers", (customer(one, NOW - 9000 + one) for one in range(250)))
    pages = 0

    def refuse(path: str, _: Any) -> None:
        nonlocal pages
        pages += path == "/customers"
        if pages > 1 and path == "/customers":
            raise forbidden()

    emulator.on_request = refuse
    report = replicate("customers", "invoices")["customers"]
    assert report.unavailable
    assert not report.coverage.windows
    assert len(replicate.ids("customers")) == 100
    emulator.on_request = None
    replicate.ok("customers")
    assert len(replicate.ids("customers")) == 250


def test_every_table_can_be_unavailable(emulator: Emulator, replicate: Replica) -> None:
    """Each table alone; requests that belong to it do not affect other tables."""
    for table in TABLES:
        emulator.account.forbidden = {table.name}
        reports = replicate(deletions="mark")
        assert {name for name, each in reports.items() if not each.is_complete} == {table.name}
        assert reports[table.name].unavailable
