"""The move from Stitch as docs/coming-from.md has it: its own engine, then `compare`."""

from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from benchmarks import tap
from benchmarks.sync import Place
from invoiced_emulator.seed import generate
from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLES
from invoiced_pipeline.comparison.comparison import compare_tables
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline.warehouse.replicas import open_schema
from invoiced_pipeline_tests.clients.test_tap_invoiced import HIDDEN, START, STREAMS
from invoiced_pipeline_tests.conftest import NOW, Replica

pytestmark = pytest.mark.slow


def test_compare_finds_what_the_tap_and_its_target_lose(
    emulator: Emulator, replicate: Replica, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with emulator.store.transaction():
        for collection, record in generate(seed=11, customers=15, now=NOW, tiers=False):
            emulator.store.put(collection, record)
    file = engine_of_stitch(emulator, tmp_path / "tap", monkeypatch)
    replicate.ok(start=START)
    with (
        open_schema(DuckDbDatabase(file), "invoiced") as old,
        replicate.database.session("invoiced", read_only=True) as new,
    ):
        found = {each.table: each for each in compare_tables(old, new, TABLES)}
        stored = {
            stream: {
                key for (key,) in old.rows(f"select id from {old.qualified('invoiced', stream)}")
            }
            for stream in STREAMS
        }
    for stream in STREAMS:
        rows = {row["id"]: row for row in replicate.rows(stream)}
        missing = rows.keys() - stored[stream]
        result = found[stream]
        assert result.problem is None
        assert result.findings.keys() <= {"only_in_new"}
        assert set(result.only_in_new.examples) == missing
        # What its lists never show. Besides, the target takes the first row of some batches for
        # the heading of its CSV file.
        hidden = HIDDEN.get(stream, lambda _: False)
        assert len([key for key in missing if not hidden(rows[key])]) <= 1
        lost = sum((rows[key].get("total") or 0 for key in missing), start=0)
        totals = [each for (_, column), each in result.totals.items() if column == "total"]
        assert sum(each.new - each.old for each in totals) == (lost if totals else 0)
    assert found["subscriptions"].columns.keys() == {"quantity"}  # an integer in the tap's schema
    assert not any(found[stream].columns for stream in STREAMS if stream != "subscriptions")
    of_ours = {table.name for table in TABLES} - set(STREAMS)
    assert {each.table for each in found.values() if not each.old_table} == of_ours


def engine_of_stitch(emulator: Emulator, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Runs `tap-invoiced | target-duckdb`; returns the file."""
    for name in ("tap", "target"):
        installed = Path(tap.ROOT, f".venv-{name}")
        assert installed.exists(), f"run `make .venv-{name}/.installed` once"
    monkeypatch.setattr(tap, "START", datetime(1970, 1, 2, tzinfo=UTC))
    api: Any = SimpleNamespace(url=emulator.url, api_key=emulator.api_key)
    case: Any = SimpleNamespace(tables=STREAMS)
    place = Place(case, folder, api)
    tap.prepare(place)
    assert tap.sync(place).rows["invoices"] > 0
    return folder / "target.duckdb"
