"""The data of an asset's plots: rows by partition, and figures once per run."""

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.defs.sync import partition_counts, quiet_tables
from invoiced_pipeline.defs.sync.partition_range import range_tags
from invoiced_pipeline_tests.defs.conftest import KEYS, RANGE, Service, months_ago

ROWS = "dagster/partition_row_count"
FIRST, SECOND, THIRD, NEWEST = KEYS
HOUR = timedelta(hours=1)


def put(account: Emulator, collection: str, record_id: Any, at: datetime, **fields: Any) -> None:
    stamp = int(at.timestamp())
    record = {"id": record_id, "object": collection[:-1], "created_at": stamp, "updated_at": stamp}
    account.store.put(collection, record | fields)


def events(service: Service, run_id: str, table: str) -> list[tuple[str | None, dict[str, Any]]]:
    """Partition and metadata of a run's materializations of a table, in order."""
    kind = dg.DagsterEventType.ASSET_MATERIALIZATION
    found = []
    for entry in service.instance.all_logs(run_id, of_type=kind):
        event = entry.asset_materialization
        if event is not None and event.asset_key == service.key(table):
            values = {name: value.value for name, value in event.metadata.items()}
            found.append((event.partition, values))
    return found


def plotted(metadata: dict[str, Any]) -> set[str]:
    """The metadata that the UI plots: numbers, without instants."""
    instants = {"covered_since", "covered_until"}
    return {
        name
        for name, value in metadata.items()
        if isinstance(value, int | float) and name not in instants
    }


def by_partition(service: Service, table: str) -> dict[str, Any]:
    """Rows by partition in the newest materializations, which the UI plots."""
    newest = service.instance.get_latest_storage_id_by_partition(
        service.key(table), dg.DagsterEventType.ASSET_MATERIALIZATION
    )
    wanted = dg.AssetRecordsFilter(asset_key=service.key(table), storage_ids=list(newest.values()))
    records = service.instance.fetch_materializations(wanted, limit=100).records
    return {
        str(event.partition): event.metadata[ROWS].value
        for event in (record.asset_materialization for record in records)
        if event is not None
    }


@pytest.fixture
def billed(account: Emulator) -> Emulator:
    for record_id, at in enumerate((months_ago(2), months_ago(2), months_ago(1)), start=1):
        put(account, "invoices", record_id, at + HOUR, items=[], total=record_id)
    put(account, "plans", "gold", months_ago(1) + HOUR, internal_id=1)
    return account


def test_plots_show_rows_by_month_and_figures_by_run(
    service: Service, billed: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = service.sync("invoices", "plans")
    assert first.error is None
    assert by_partition(service, "invoices") == {FIRST: 0, SECOND: 2, THIRD: 1, NEWEST: 0}
    assert by_partition(service, "plans") == {FIRST: 0, SECOND: 0, THIRD: 1, NEWEST: 0}
    *older, (partition, last) = events(service, first.run_id, "invoices")
    assert [key for key, _ in older] == [FIRST, SECOND, THIRD]
    assert dict(older)[SECOND] == {ROWS: 2, "rows": 2}
    assert dict(older)[FIRST] == {ROWS: 0}
    # Only the last partition has the run's figures: a plot has one point per run.
    assert partition == NEWEST
    assert {"rows_loaded", "requests", "seconds", "load_seconds"} <= plotted(last)
    assert "dagster/row_count" not in last
    observed = service.instance.fetch_observations(service.key("invoices"), limit=5).records
    (count,) = [record.asset_observation for record in observed]
    assert count is not None
    assert count.metadata["dagster/row_count"].value == 3
    assert first.tables["invoices"]["dagster/row_count"] == 3

    # A record changes: it moves from its month to this one, and both counts follow.
    put(billed, "invoices", 2, datetime.now(UTC), items=[], total=9)
    moved = service.sync("invoices", "plans")
    assert moved.error is None
    found = events(service, moved.run_id, "invoices")
    assert [key for key, _ in found] == [SECOND, NEWEST]
    assert found[0][1] == {ROWS: 1}
    assert (found[1][1][ROWS], found[1][1]["rows"], found[1][1]["rows_loaded"]) == (1, 1, 1)
    assert by_partition(service, "invoices") == {FIRST: 0, SECOND: 1, THIRD: 1, NEWEST: 1}
    # Nothing new in a table: it has no event of its own, but the run knows its figures.
    assert events(service, moved.run_id, "plans") == []
    assert moved.tables["plans"]["requests"] > 0
    assert moved.tables["plans"]["rows_loaded"] == 0
    assert moved.tables["plans"]["dagster/row_count"] == 1

    # After an idle run, the next tick still requests only the newest partition.
    job = service.definitions().resolve_job_def("invoiced_sync")
    connection = service.settings().first
    tags = range_tags(
        job.partitions_def, service.instance, connection, ["invoices", "plans"], "sync"
    )
    assert [tags[tag] for tag in RANGE] == [NEWEST, NEWEST]

    # Nothing is new, and nothing is counted. Before the table is late, it is materialized again.
    def refuse(*_: Any) -> None:
        message = "a table was read to count its rows"
        raise AssertionError(message)

    monkeypatch.setattr(partition_counts.PartitionCounts, "_rows_by_day", refuse)
    monkeypatch.setattr(quiet_tables, "LONGEST_SILENCE", 0.0)
    before = service.instance.get_latest_materialization_event(service.key("plans"))
    assert service.sync("plans").error is None
    after = service.instance.get_latest_materialization_event(service.key("plans"))
    assert before is not None
    assert after is not None
    assert after.timestamp > before.timestamp  # the freshness policy reads it
    ((key, idle),) = events(service, after.run_id, "plans")
    assert (key, idle[ROWS], plotted(idle)) == (NEWEST, 0, {ROWS})
    assert idle["nothing_new"]["requests"] > 0


def test_counts_are_right_in_every_mode(service: Service, billed: Emulator) -> None:
    assert service.sync("invoices").error is None
    put(billed, "invoices", 4, months_ago(2) + HOUR * 2, items=[])
    # The month is read again: only it is counted, with the records that came late.
    assert service.materialize(SECOND, tables=["invoices"]).success
    assert by_partition(service, "invoices")[SECOND] == 3
    latest = service.instance.get_latest_materialization_event(service.key("invoices"))
    assert latest is not None
    assert latest.asset_materialization is not None
    assert "covered_until" in latest.asset_materialization.metadata
    # A full refresh: moved rows are counted where they are now, and so is the table.
    put(billed, "invoices", 1, months_ago(1) + HOUR * 3, items=[])
    assert service.sync("invoices", mode="full").error is None
    assert by_partition(service, "invoices") == {FIRST: 0, SECOND: 2, THIRD: 2, NEWEST: 0}
    # A sweep says how many rows there are.
    billed.store.remove("invoices", 3)
    assert service.sweep("invoices", allow_share=1.0).error is None
    (record, *_) = service.instance.fetch_observations(service.key("invoices"), limit=1).records
    assert record.asset_observation is not None
    assert record.asset_observation.metadata["dagster/row_count"].value == 4


def test_removed_rows_are_not_counted_in_their_partition(
    service: Service, billed: Emulator
) -> None:
    (service.folder / "invoiced.toml").write_text('[[connection]]\ndeletions = "remove"\n')
    assert service.sync("invoices").error is None
    billed.store.remove("invoices", 1)
    stamp = int(datetime.now(UTC).timestamp())
    event = {"id": 1, "type": "invoice.deleted", "data": {"object": {"id": 1}}}
    billed.store.put("events", {**event, "timestamp": stamp})
    assert service.sync("invoices").error is None
    assert service.ids("invoices") == [2, 3]
    assert by_partition(service, "invoices") == {FIRST: 0, SECOND: 1, THIRD: 1, NEWEST: 0}
