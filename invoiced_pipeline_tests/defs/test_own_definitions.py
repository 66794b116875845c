"""`build_definitions` in another Dagster project: merged, with prefixes, in one code location."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

import invoiced_pipeline
from invoiced_emulator.server import Emulator
from invoiced_pipeline import build_definitions, load_settings
from invoiced_pipeline.defs.assembly import project_definitions
from invoiced_pipeline.defs.launch.launch import run_sweep, run_sync, run_writeback
from invoiced_pipeline.defs.runs.dead_runs import living_runs
from invoiced_pipeline.defs.status import connection_status
from invoiced_pipeline.defs.writeback.config import WritebackConfig
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import Settings
from invoiced_pipeline.warehouse.database import LockState
from invoiced_pipeline_tests.conftest import customer, invoice
from invoiced_pipeline_tests.defs.conftest import START, Service

CHANGED = int(START.timestamp()) + 86_400
_KEY = "of-the-folder"
SETTINGS = """
[warehouse]
path = "data/{name}.duckdb"
[dagster]
keep_runs_days = 30
[[connection]]
api_url = "{url}"
start_date = "{start}"
[connection.tables]
include = ["customers", "invoices", "plans"]
[[writeback]]
name = "crm"
operation = "create_customer"
source = '''
    select invoices.number as id, customers.name
    from invoices join customers on customers.id = invoices.customer
'''
key = "id"
exclude = ["id"]
after_sync = true
"""


def settings_in(folder: Path, account: Emulator) -> Settings:
    """The settings of a folder of its own; the key is in its `.env`."""
    folder.mkdir()
    text = SETTINGS.format(name=folder.name, url=account.url, start=f"{START:%Y-%m-%d}")
    (folder / "invoiced.toml").write_text(text)
    account.keys[_KEY] = "active"
    (folder / ".env").write_text(f"INVOICED_API_KEY={_KEY}\n")
    return load_settings(folder=folder)


def keys_of(defs: dg.Definitions) -> set[str]:
    return {key.to_user_string() for key in defs.resolve_asset_graph().get_all_asset_keys()}


def names_of(defs: dg.Definitions) -> dict[str, list[str]]:
    """Names of everything that must be unique in a code location."""
    repository = defs.get_repository_def()
    return {
        "jobs": [job.name for job in repository.get_all_jobs()],
        "schedules": [each.name for each in repository.schedule_defs],
        "sensors": [each.name for each in repository.sensor_defs],
        "resources": [*(defs.resources or {})],
    }


def test_two_projects_and_other_assets_merge(account: Emulator, tmp_path: Path) -> None:
    @dg.asset(deps=[["finance", "invoiced", "invoices"]], required_resource_keys={"warehouse"})
    def report() -> None:
        """Has a resource of a name that is also ours."""

    finance, sales = (settings_in(tmp_path / name, account) for name in ("finance", "sales"))
    merged = dg.Definitions.merge(
        build_definitions(finance, key_prefix=["finance"]),
        build_definitions(sales, key_prefix=["sales", "emea"]),
        build_definitions(finance),
        dg.Definitions(assets=[report], executor=dg.multiprocess_executor),
        dg.Definitions(resources={"theirs": "an object"}),
    )
    dg.Definitions.validate_loadable(merged)
    keys = keys_of(merged)
    assert {"finance/invoiced/invoices", "sales/emea/invoiced/invoices", "invoiced/plans"} <= keys
    assert {key for key in keys if key.endswith("/invoices__items")} == {
        "finance/invoiced/invoices__items",
        "sales/emea/invoiced/invoices__items",
        "invoiced/invoices__items",
    }
    graph = merged.resolve_asset_graph()
    ours = dg.AssetKey(["finance", "invoiced", "invoices"])
    assert graph.get(dg.AssetKey("report")).parent_keys == {ours}
    account_key = dg.AssetKey(["finance", "invoiced", "invoiced_account"])
    assert graph.get(ours).parent_keys == {account_key}
    written = dg.AssetKey(["sales", "emea", "invoiced", "writeback_crm"])
    assert dg.AssetKey(["sales", "emea", "invoiced", "customers"]) in graph.get(written).parent_keys
    assert {key.asset_key.path[0] for key in graph.asset_check_keys} == {
        "finance",
        "sales",
        "invoiced",
    }
    names = names_of(merged)
    for kind in names.values():
        assert len(kind) == len(set(kind))
    assert {
        "finance_invoiced_sync",
        "sales_emea_invoiced_sweep",
        "finance_writeback_crm",
        "sales_emea_delete_old_runs",
        "invoiced_sync",
        "delete_old_runs",
    } <= set(names["jobs"])
    assert "finance_invoiced_sync_schedule" in names["schedules"]
    assert "sales_emea_writeback_crm_after_sync" in names["sensors"]
    assert {"warehouse", "finance_warehouse", "sales_emea_invoiced_api"} <= set(names["resources"])
    selected = merged.resolve_job_def("finance_invoiced_sync").asset_layer.executable_asset_keys
    assert {key.path[0] for key in selected} == {"finance"}


@pytest.mark.duckdb("each project names its own file")
def test_a_project_in_another_folder_runs_under_its_prefix(
    account: Emulator, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in service.environment:
        monkeypatch.delenv(name)
    account.store.put("customers", customer(1, CHANGED))
    account.store.put("invoices", invoice(2, CHANGED, customer=1))
    plain = settings_in(service.folder / "finance", account)
    settings = plain.model_copy(
        update={"connection": [plain.first.model_copy(update={"key_prefix": ["finance"]})]}
    )
    defs, instance, connection = build_definitions(settings), service.instance, settings.first
    alive: list[Sequence[str]] = []

    def look(*_: object) -> None:
        account.on_request = None
        alive.append(living_runs(instance, "invoiced", LockState()))

    account.on_request = look
    synced = run_sync(
        defs, connection, instance, tables=["customers", "invoices", "plans"], mode="sync"
    )
    assert (synced.error, alive) == (None, [[synced.run_id]])
    assert (service.folder / "finance" / "data" / "finance.duckdb").exists()
    assert not (service.folder / "data").exists()
    key = dg.AssetKey(["finance", "invoiced", "invoices"])
    assert instance.get_materialized_partitions(key)
    swept = run_sweep(defs, connection, instance, tables=["invoices"], allow_share=None)
    assert (swept.error, swept.tables["invoices"]["listed"]) == (None, 1)
    planned = run_writeback(defs, connection, "crm", instance, WritebackConfig())
    assert (planned.error, planned.metadata["rows_to_create"]) == (None, 1)

    found = connection_status(instance, settings, connection, datetime.now(UTC))
    assert {table.state for table in found.tables} == {"ok"}
    assert found.failed_runs["finance_invoiced_sync"] == 0
    assert found.writebacks[0].waiting == {"planned": 1}
    without = connection_status(instance, plain, plain.first, datetime.now(UTC))
    assert {table.state for table in without.tables} == {"pending"}

    schedule = defs.resolve_schedule_def("finance_invoiced_sync_schedule")
    with dg.build_schedule_context(
        instance=instance, scheduled_execution_time=datetime.now(UTC)
    ) as context:
        (request,) = schedule.evaluate_tick(context).run_requests or []
    # The range reaches back to what is covered, not to the start date.
    assert request.tags["dagster/asset_partition_range_start"] > f"{START:%Y-%m-%d}"
    assert "replicate_finance_invoiced" in request.run_config["ops"]


@pytest.mark.parametrize("prefix", [["fin-ance"], ["a", ""], "finance"])
def test_a_prefix_that_no_job_can_have_is_refused(prefix: list[str], tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"key_prefix: .* is not accepted: a prefix is a"):
        build_definitions(load_settings({}, tmp_path), key_prefix=prefix)


def test_the_same_prefix_can_be_a_setting(tmp_path: Path) -> None:
    (tmp_path / "invoiced.toml").write_text('[[connection]]\nkey_prefix = ["finance"]')
    as_setting = build_definitions(load_settings({}, tmp_path))
    (tmp_path / "invoiced.toml").write_text("")
    as_argument = build_definitions(load_settings({}, tmp_path), key_prefix=["finance"])
    assert keys_of(as_setting) == keys_of(as_argument)
    assert names_of(as_setting) == names_of(as_argument)


def test_only_the_project_of_its_own_has_an_executor_and_a_logger(tmp_path: Path) -> None:
    settings = load_settings({"INVOICED_LOG_FORMAT": "json"}, tmp_path)
    merged, own = build_definitions(settings), project_definitions(settings)
    assert (merged.executor, merged.loggers) == (None, {})
    assert own.executor is dg.in_process_executor
    assert list(own.loggers or {}) == ["console"]
    for defs in (merged, own):
        for job in ("invoiced_sync", "invoiced_sweep"):
            assert defs.resolve_job_def(job).executor_def is dg.in_process_executor


def test_the_package_says_what_is_public() -> None:
    assert invoiced_pipeline.__all__ == ["build_definitions", "load_settings"]
    with pytest.raises(AttributeError, match="has no attribute 'other'"):
        invoiced_pipeline.other  # noqa: B018
