"""Plans in the warehouse: one row per id, of the version that counts."""

import json
from typing import Any

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline_tests.conftest import NOW, Replica
from invoiced_pipeline_tests.invoiced.handmade import HandmadeApi


def version(number: int, *, archived: bool, updated_at: int = NOW - 1000) -> dict[str, Any]:
    record = {"id": "pro", "object": "plan", "internal_id": number, "name": f"version {number}"}
    return record | {"archived": archived, "updated_at": updated_at}


VERSIONS: dict[str, tuple[list[dict[str, Any]], int]] = {
    "live after archived": ([version(1, archived=True), version(2, archived=False)], 2),
    "live before archived": ([version(3, archived=False), version(4, archived=True)], 3),
    "two archived": ([version(5, archived=True), version(6, archived=True)], 6),
    "older one touched": (
        [version(8, archived=True), version(7, archived=True, updated_at=NOW)],
        8,
    ),
    "live one untouched": (
        [version(9, archived=False, updated_at=NOW - 9000), version(10, archived=True)],
        9,
    ),
}
"""Versions of one id, and the one that counts."""


def test_version_that_counts(emulator: Emulator, replicate: Replica) -> None:
    for plan_id, (versions, _) in VERSIONS.items():
        emulator.store.put_many("plans", [record | {"id": plan_id} for record in versions])
    replicate.ok("plans")
    found = dict(replicate.query("select id, internal_id from plans"))
    assert found == {plan_id: expected for plan_id, (_, expected) in VERSIONS.items()}
    live = {plan_id for (plan_id,) in replicate.query("select id from plans where not archived")}
    assert live == {plan_id for plan_id in VERSIONS if plan_id.startswith("live")}


@pytest.mark.everywhere
def test_id_that_is_used_again_after_a_sync(emulator: Emulator, replicate: Replica) -> None:
    tiers = [{"unit_cost": 1}, {"unit_cost": 2}]
    emulator.store.put("plans", version(1, archived=False) | {"tiers": tiers})
    replicate.ok("plans")
    now = emulator.clock.advance(5000)
    emulator.store.put("plans", version(1, archived=True, updated_at=now - 50))
    replicate.ok("plans")
    assert replicate.row("plans")["archived"] is True
    emulator.store.put(
        "plans", version(2, archived=False, updated_at=now - 50) | {"tiers": tiers[:1]}
    )
    replicate.ok("plans")
    assert replicate.row("plans")["name"] == "version 2"
    assert len(replicate.rows("plans__tiers")) == 1


TIERS: list[tuple[Any, int]] = [
    ([{"max_qty": 5, "unit_cost": 1.5}, {"min_qty": 6, "unit_cost": 1}], 2),
    ({"0": {"unit_cost": 1}}, 0),
    ({}, 0),
    ([], 0),
    (None, 0),
]
"""What the API sends, and how many rows it makes; tap-invoiced's schema says object."""


def test_tiers_in_every_shape(emulator: Emulator, replicate: Replica) -> None:
    for number, (tiers, _) in enumerate(TIERS):
        emulator.store.put("plans", {"id": f"plan{number}", "tiers": tiers, "updated_at": NOW})
    replicate.ok("plans")
    kept = [text for (text,) in replicate.query("select tiers from plans order by id")]
    assert [json.loads(text) if text else None for text in kept] == [tiers for tiers, _ in TIERS]
    rows = dict(replicate.query("select plan_id, count(*) from plans__tiers group by plan_id"))
    assert rows == {f"plan{number}": count for number, (_, count) in enumerate(TIERS) if count}


def test_server_that_knows_no_versions(replicate: Replica) -> None:
    # Without `archived` and `internal_id`, the list's parameters tell the state.
    def reply(path: str, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        state = "archived" if query["archived"] == "1" else "live"
        records = [{"id": "both", "name": state, "updated_at": NOW}]
        records.append({"id": state, "name": state, "updated_at": NOW})
        headers = {"Date": "Sun, 22 Nov 2026 12:00:00 GMT"}
        return 200, headers, json.dumps(records).encode()

    with HandmadeApi(reply=reply) as api:
        replicate.url = api.url
        replicate.ok("plans")
    found = replicate.query("select id, name, archived from plans order by id")
    assert found == [
        ("archived", "archived", True),
        ("both", "live", False),
        ("live", "live", False),
    ]
