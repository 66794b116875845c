"""Events that are written in batches are those that Dagster's own class writes and reads."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.instance.ref import InstanceRef
from dagster_shared.serdes import deserialize_value, serialize_value
from sqlalchemy import event
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import Pool

from invoiced_pipeline.defs.launch.home import make_home
from invoiced_pipeline.defs.runs.event_log import BatchedEventLog, write_events_quickly
from invoiced_pipeline_tests.postgres_server import new_database

MONTHS = dg.MonthlyPartitionsDefinition("2025-01-01", end_date="2026-01-01")
YEAR = {
    "dagster/asset_partition_range_start": "2025-01-01",
    "dagster/asset_partition_range_end": "2025-12-01",
}


@dg.asset(partitions_def=MONTHS, backfill_policy=dg.BackfillPolicy.single_run())
def loaded() -> None:
    """Loads nothing, for a year."""


@pytest.fixture
def instance(tmp_path: Path) -> dg.DagsterInstance:
    return dg.DagsterInstance.local_temp(str(tmp_path))


def resolved_job() -> dg.JobDefinition:
    return dg.define_asset_job("load").resolve(
        asset_graph=dg.Definitions(assets=[loaded]).resolve_asset_graph()
    )


def materialize(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    return resolved_job().execute_in_process(instance=instance, tags=YEAR)


def test_dagster_reads_them_while_the_files_are_open(
    instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    write_events_quickly(instance)
    write_events_quickly(instance)
    assert type(instance.event_log_storage) is BatchedEventLog
    result = materialize(instance)
    with dg.DagsterInstance.local_temp(str(tmp_path)) as other:
        assert type(other.event_log_storage) is not BatchedEventLog
        assert other.get_materialized_partitions(loaded.key) == set(MONTHS.get_partition_keys())
        kinds = [entry.dagster_event_type for entry in other.all_logs(result.run_id)]
        assert kinds.count(dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED) == 12
        assert kinds.count(dg.DagsterEventType.ASSET_MATERIALIZATION) == 12
        assert kinds[-1] is dg.DagsterEventType.PIPELINE_SUCCESS
        # The other process writes in turn with this one.
        materialize(other)
        materialize(instance)
        assert len(other.fetch_materializations(loaded.key, limit=100).records) == 36
    instance.dispose()


def test_a_batch_that_fails_is_written_event_by_event(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_events_quickly(instance)
    log = instance.event_log_storage
    store, calls = log.store_event, 0

    def fail_once(event: dg.EventLogEntry) -> None:
        nonlocal calls
        calls += 1
        if calls == 5:
            message = "the disk is full"
            raise SQLAlchemyError(message)
        store(event)

    monkeypatch.setattr(log, "store_event", fail_once)
    materialize(instance)
    assert len(instance.fetch_materializations(loaded.key, limit=100).records) == 12
    instance.dispose()


@pytest.fixture
def configured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """An instance with the `dagster.yaml` of a new project."""
    monkeypatch.delenv("DAGSTER_EVENT_BATCH_SIZE", raising=False)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    make_home(tmp_path)
    with dg.DagsterInstance.get() as instance:
        yield instance


def test_what_a_run_will_load_is_noted_in_one_batch(
    configured: dg.DagsterInstance, tmp_path: Path
) -> None:
    with connections() as batched:
        run = configured.create_run_for_job(resolved_job(), tags=YEAR)
    with (
        dg.DagsterInstance.local_temp(str(tmp_path)) as other,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.delenv("DAGSTER_EVENT_BATCH_SIZE")
        with connections() as alone:
            same = other.create_run_for_job(resolved_job(), tags=YEAR)
        kinds = [
            [entry.dagster_event_type for entry in other.all_logs(each.run_id)]
            for each in (run, same)
        ]
    assert kinds[0] == kinds[1] == [dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED] * 12
    assert len(alone) > 24
    assert len(batched) < 12


def test_only_a_run_keeps_the_files_open(configured: dg.DagsterInstance) -> None:
    log = configured.event_log_storage
    assert isinstance(log, BatchedEventLog)
    with connections() as opened:
        materialize(configured)
        assert opened.closed == len(opened)
        write_events_quickly(configured)
        assert configured.event_log_storage is log
        materialize(configured)
        assert opened.closed < len(opened)
        assert len(configured.fetch_materializations(loaded.key, limit=100).records) == 24
        log.dispose()
        assert opened.closed == len(opened)


def test_another_process_gets_the_same_storage(configured: dg.DagsterInstance) -> None:
    materialize(configured)
    reference = deserialize_value(serialize_value(configured.get_ref()), InstanceRef)
    with dg.DagsterInstance.from_ref(reference) as other:
        assert type(other.event_log_storage) is BatchedEventLog
        assert len(other.fetch_materializations(loaded.key, limit=100).records) == 12


def test_a_tilde_is_the_users_home(
    configured: dg.DagsterInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    materialize(configured)
    monkeypatch.setenv("HOME", str(tmp_path.parent))
    monkeypatch.setenv("DAGSTER_HOME", f"~/{tmp_path.name}")
    with dg.DagsterInstance.get() as same:
        assert len(same.fetch_materializations(loaded.key, limit=100).records) == 12


def test_connections_to_a_server_stay_open(tmp_path: Path, postgres_url: str) -> None:
    with new_database(postgres_url) as address:
        storage = f"storage: {{postgres: {{postgres_url: '{address}'}}}}"
        (tmp_path / "dagster.yaml").write_text(storage, encoding="utf-8")
        with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
            with connections() as reopened:
                materialize(instance)
            write_events_quickly(instance)
            with connections() as kept:
                materialize(instance)
            assert len(instance.fetch_materializations(loaded.key, limit=100).records) == 24
    assert len(reopened) > 50
    assert 0 < len(kept) <= 10


class Connections(list[object]):
    """The connections that this process opened; `closed` is how many it has closed."""

    closed = 0


@contextmanager
def connections() -> Iterator[Connections]:
    """The connections that this process opens meanwhile."""
    made = Connections()

    def note(connection: object, _: object) -> None:
        made.append(connection)

    def note_end(connection: object, _: object) -> None:
        made.closed += any(connection is each for each in made)

    event.listen(Pool, "connect", note)
    event.listen(Pool, "close", note_end)
    try:
        yield made
    finally:
        event.remove(Pool, "connect", note)
        event.remove(Pool, "close", note_end)
