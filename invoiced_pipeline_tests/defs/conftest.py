"""Runs of the assets in this process, with their own instance and folder."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.defs.assembly import build_definitions
from invoiced_pipeline.defs.launch.launch import SyncResult, run_sweep, run_sync
from invoiced_pipeline.defs.runs.event_log import write_events_quickly
from invoiced_pipeline.defs.sync.metadata import plain_metadata
from invoiced_pipeline.replication.report import Mode
from invoiced_pipeline.selection.tables import tables_of
from invoiced_pipeline.settings import Settings, load_settings
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline_tests.front_door import SECRETS, invoiced_account
from invoiced_pipeline_tests.postgres_server import new_database
from invoiced_pipeline_tests.warehouses import opened, warehouse_variables

RANGE = ("dagster/asset_partition_range_start", "dagster/asset_partition_range_end")


def months_ago(count: int) -> datetime:
    """Midnight UTC of the first of a month."""
    month = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _ in range(count):
        month = (month - timedelta(days=1)).replace(day=1)
    return month


START = months_ago(3) + timedelta(days=14)
"""The start date of these tests: in the midst of the first of four partitions."""

KEYS = [f"{months_ago(count):%Y-%m-%d}" for count in (3, 2, 1, 0)]


@dataclass
class Outcome:
    """The result of a run in this process."""

    result: dg.ExecuteInProcessResult

    @property
    def success(self) -> bool:
        return self.result.success

    @property
    def error(self) -> str:
        """All that the failure's events say."""
        return "\n".join(
            str(event.event_specific_data) for event in self.result.all_events if event.is_failure
        )

    @property
    def tables(self) -> dict[str, dict[str, Any]]:
        """Metadata of every table that was materialised."""
        return {
            event.materialization.asset_key.path[-1]: plain_metadata(event.materialization.metadata)
            for event in self.result.get_asset_materialization_events()
        }


@dataclass
class Service:
    """The definitions, instance and warehouse of one account."""

    instance: dg.DagsterInstance
    environment: dict[str, str]
    folder: Path
    _defs: dict[str, dg.Definitions] = field(default_factory=dict)

    def settings(self) -> Settings:
        return load_settings(self.environment, self.folder)

    def definitions(self) -> dg.Definitions:
        return build_definitions(self.settings())

    def materialize(
        self, first: str, last: str | None = None, *, tables: Sequence[str] = (), config: Any = None
    ) -> Outcome:
        """Materialises a partition, or a range of them, as the UI and Dagster's CLI do."""
        job = self.definitions().resolve_implicit_global_asset_job_def()
        where: dict[str, Any] = {"partition_key": first}
        if last is not None:
            where = {"tags": dict(zip(RANGE, (first, last), strict=True))}
        result = job.execute_in_process(
            instance=self.instance,
            asset_selection=[self.key(table) for table in tables] or None,
            run_config=config,
            raise_on_error=False,
            **where,
        )
        return Outcome(result)

    def check(self, *tables: str, config: Any = None) -> Outcome:
        """Evaluates all checks of some tables alone, as the UI's Execute buttons do."""
        checks = dg.AssetSelection.checks_for_assets(*map(self.key, tables))
        job = dg.Definitions(jobs=[dg.define_asset_job("checks", checks)])
        defs = dg.Definitions.merge(self.definitions(), job)
        result = defs.resolve_job_def("checks").execute_in_process(
            instance=self.instance, run_config=config, raise_on_error=False
        )
        return Outcome(result)

    def sync(self, *tables: str, mode: Mode = "sync", connection: str | None = None) -> SyncResult:
        """What `invoiced-pipeline sync` runs."""
        settings = self.settings()
        defs, chosen = build_definitions(settings), settings.find(connection)
        names = tables or [table.name for table in tables_of(settings, chosen)]
        return run_sync(defs, chosen, self.instance, tables=names, mode=mode)

    def sweep(
        self, *tables: str, allow_share: float | None = None, connection: str | None = None
    ) -> SyncResult:
        """What `invoiced-pipeline sweep` runs."""
        return run_sweep(
            self.definitions(),
            self.settings().find(connection),
            self.instance,
            tables=tables,
            allow_share=allow_share,
        )

    def key(self, table: str) -> dg.AssetKey:
        return dg.AssetKey(["invoiced", table])

    def marked(self, table: str) -> list[str]:
        """The partitions that Dagster shows as materialised."""
        return sorted(self.instance.get_materialized_partitions(self.key(table)))

    @property
    def database(self) -> Database:
        """The warehouse."""
        return opened(self.environment, self.folder)

    def query(self, sql: str, dataset: str = "invoiced") -> list[tuple[Any, ...]]:
        with self.database.session(dataset, read_only=True) as session:
            return session.rows(sql)

    def ids(self, table: str) -> list[Any]:
        return [row[0] for row in self.query(f"select id from {table} order by id")]


@pytest.fixture
def account() -> Iterator[Emulator]:
    with invoiced_account() as emulator:
        yield emulator


@pytest.fixture
def service(
    account: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Service]:
    """Definitions over an account; no file that runs leave may hold the key."""
    for name in [name for name in os.environ if name.startswith("INVOICED_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    storage = tmp_path / "dagster"
    storage.mkdir()
    quiet = {"telemetry": {"enabled": False}}
    with (
        warehouse_variables() as variables,
        dg.DagsterInstance.local_temp(str(storage), overrides=quiet) as instance,
    ):
        write_events_quickly(instance)  # as every command does
        environment = variables | {
            "INVOICED_API_URL": account.url,
            "INVOICED_API_KEY": account.api_key,
            "INVOICED_START_DATE": START.isoformat(),
        }
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        yield Service(instance, environment, tmp_path)
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert not any(secret.encode() in path.read_bytes() for secret in SECRETS), path


@pytest.fixture
def url(postgres_url: str) -> Iterator[str]:
    with new_database(postgres_url) as url:
        yield url


@pytest.fixture
def server(service: Service, url: str, monkeypatch: pytest.MonkeyPatch) -> Service:
    """The service with a PostgreSQL warehouse."""
    for name, value in {
        "INVOICED_DESTINATION": "postgres",
        "INVOICED_POSTGRES_URL": url,
    }.items():
        monkeypatch.setenv(name, value)
        service.environment[name] = value
    return service
