"""The code location as Dagster loads it: without a key, a network or a warehouse."""

import sys
from pathlib import Path

import dagster as dg
import pytest

from invoiced_pipeline.catalog import TABLE_NAMES, TABLES
from invoiced_pipeline.defs.assembly import build_definitions
from invoiced_pipeline.replication.decode.columns import child_columns, parent_columns
from invoiced_pipeline.settings import load_settings
from invoiced_pipeline_tests.front_door import KEY, front_door

# Loads the definitions while every attempt to open a connection fails.
_OFFLINE = """
import os, socket

def refuse(*_, **__):
    raise AssertionError("a connection was opened")

socket.socket.connect = socket.getaddrinfo = refuse
from invoiced_pipeline.definitions import defs
tables = defs.resolve_asset_graph().materializable_asset_keys
print(len(tables), sorted(os.listdir()))
"""


def definitions(folder: Path, **environment: str) -> dg.Definitions:
    return build_definitions(load_settings(environment, folder))


def test_load_needs_no_key_network_warehouse_or_environment(tmp_path: Path) -> None:
    with front_door(tmp_path) as door:
        door.environment.clear()
        loaded = door.run(Path(sys.executable).name, "-c", _OFFLINE)
        assert loaded.out.strip() == "16 ['dagster.yaml', 'workspace.yaml']"
        assert loaded.err == ""


def test_what_dagster_sees(tmp_path: Path) -> None:
    defs = definitions(tmp_path, INVOICED_START_DATE="11/22/2025", INVOICED_API_KEY=KEY)
    repository = defs.get_repository_def()
    specs = defs.resolve_all_asset_specs()
    tables = defs.resolve_asset_graph().materializable_asset_keys
    assert {key.to_user_string() for key in tables} == {
        "invoiced/customers",
        "invoiced/invoices",
        "invoiced/credit_notes",
        "invoiced/estimates",
        "invoiced/subscriptions",
        "invoiced/plans",
        "invoiced/transactions",
        "invoiced/payments",
        "invoiced/credit_balance_adjustments",
        "invoiced/items",
        "invoiced/coupons",
        "invoiced/tax_rates",
        "invoiced/notes",
        "invoiced/tasks",
        "invoiced/charges",
        "invoiced/refunds",
    }
    assert {spec.group_name for spec in specs} == {"invoiced"}
    jobs = {name for name in repository.job_names if not name.startswith("__")}
    assert jobs == {"invoiced_sync", "invoiced_sweep"}
    schedules = repository.schedule_defs
    assert {schedule.name: schedule.job_name for schedule in schedules} == {
        "invoiced_sync_schedule": "invoiced_sync",
        "invoiced_sweep_schedule": "invoiced_sweep",
    }
    # Sweeps are skipped while nothing is loaded; syncs start only if a person turns them on.
    assert {schedule.name: schedule.default_status for schedule in schedules} == {
        "invoiced_sync_schedule": dg.DefaultScheduleStatus.STOPPED,
        "invoiced_sweep_schedule": dg.DefaultScheduleStatus.RUNNING,
    }
    assert set(repository.get_top_level_resources()) == {
        "invoiced_api",
        "start_date",
        "warehouse",
    }
    dg.Definitions.validate_loadable(defs)


@pytest.mark.parametrize("destination", ["duckdb", "postgres"])
def test_only_a_server_needs_the_sensor_for_dead_runs(tmp_path: Path, destination: str) -> None:
    sensors = definitions(tmp_path, INVOICED_DESTINATION=destination).sensors or []
    events = {"invoiced_events_sensor": dg.DefaultSensorStatus.STOPPED}
    dead_runs = {"dead_runs_sensor": dg.DefaultSensorStatus.RUNNING}
    found = {
        each.name: each.default_status for each in sensors if isinstance(each, dg.SensorDefinition)
    }
    assert found == (dead_runs | events if destination == "postgres" else events)


def test_the_queue_can_tell_datasets_and_hosts_apart(tmp_path: Path) -> None:
    defs = definitions(tmp_path)
    for job in ("invoiced_sync", "invoiced_sweep"):
        tags = defs.resolve_job_def(job).run_tags
        assert tags["invoiced_pipeline/dataset"] == "invoiced"
        assert tags["invoiced_pipeline/api_host"] == "api.invoiced.com"


def test_the_dataset_names_keys_group_and_job(tmp_path: Path) -> None:
    defs = definitions(tmp_path, INVOICED_DATASET="Stitch Invoiced")
    specs = defs.resolve_all_asset_specs()
    assert {spec.group_name for spec in specs} == {"stitch_invoiced"}
    assert {spec.key.path[0] for spec in specs} == {"stitch_invoiced"}
    assert defs.resolve_job_def("stitch_invoiced_sync").name == "stitch_invoiced_sync"


@pytest.mark.parametrize("name", TABLE_NAMES)
def test_an_asset_shows_what_the_catalog_knows(name: str, tmp_path: Path) -> None:
    defs = definitions(tmp_path)
    (spec,) = [each for each in defs.resolve_all_asset_specs() if each.key.path[-1] == name]
    (table,) = [each for each in TABLES if each.name == name]
    assert table.description
    assert (spec.description or "").startswith(table.description)
    assert spec.kinds == {"invoiced", "dlt", "duckdb"}
    assert spec.metadata["dagster/table_name"] == f"invoiced.{name}"
    assert spec.metadata["api_reference"].value == table.docs_url
    assert spec.metadata["endpoint"] == f"GET https://api.invoiced.com{table.path}"
    assert spec.metadata["primary_key"] == "id"

    schemas = {"dagster/column_schema": parent_columns(table)} | {
        f"columns of {table.child_name(child)}": child_columns(table, child)
        for child in table.children
    }
    assert {key for key in spec.metadata if "columns of" in key} == set(schemas) - {
        "dagster/column_schema"
    }
    for metadata_key, columns in schemas.items():
        shown = spec.metadata[metadata_key].columns
        assert [(column.name, column.description) for column in shown] == [
            (column.name, column.description) for column in columns
        ]
        for column, declared in zip(shown, columns, strict=True):
            assert column.type.split("(")[0].split(" ")[0] == declared.type

    joins = spec.metadata["joins"].value
    for key in table.foreign_keys:
        assert f"| `{key.column}` | `invoiced.{key.table}.id` |" in joins
    for child in table.children:
        assert f"`invoiced.{table.child_name(child)}.{table.parent_column}`" in joins


def test_the_key_is_not_in_the_definitions(tmp_path: Path) -> None:
    defs = definitions(tmp_path, INVOICED_API_KEY=KEY)
    job = defs.resolve_job_def("invoiced_sync")
    assert KEY not in repr(job.run_config)
    for resource in defs.get_repository_def().get_top_level_resources().values():
        assert KEY not in repr(resource.config_schema.default_value)


_WRONG = {
    "start date that is no date": (
        {"INVOICED_START_DATE": "22.11.2025"},
        "",
        ["INVOICED_START_DATE", "'22.11.2025' is not a date", "MM/DD/YYYY", "2025-01-31"],
    ),
    "start date in the future": (
        {"INVOICED_START_DATE": "2999-01-01"},
        "",
        ["INVOICED_START_DATE", "is in the future", "MM/DD/YYYY"],
    ),
    "unknown cadence": (
        {"INVOICED_PARTITIONS": "hourly"},
        "",
        ["INVOICED_PARTITIONS", "'monthly', 'weekly' or 'daily'", "hourly"],
    ),
    "unknown destination": (
        {"INVOICED_DESTINATION": "excel"},
        "",
        ["INVOICED_DESTINATION", "'duckdb'", "excel"],
    ),
    "address without scheme": (
        {"INVOICED_API_URL": "api.invoiced.com"},
        "",
        ["INVOICED_API_URL", "ccepted forms are https://host or http://host:port"],
    ),
    "missing file": (
        {"INVOICED_CONFIG": "other.toml"},
        "",
        ["INVOICED_CONFIG", "other.toml", "does not exist"],
    ),
    "broken file": ({}, "[warehouse\n", ["invoiced.toml", "not valid TOML", "line 1"]),
    "unknown setting": (
        {},
        "[[connection]]\nstart = '2025-01-01'\n",
        ["invoiced.toml: connection 'Invoiced': start"],
    ),
    "start date in the file": (
        {},
        "[[connection]]\nstart_date = 'yesterday'\n",
        [
            "invoiced.toml: connection 'Invoiced': start_date",
            "'yesterday' is not a date",
            "MM/DD/YYYY",
        ],
    ),
}


@pytest.mark.parametrize("case", _WRONG)
def test_a_wrong_setting_is_named_with_what_is_accepted(case: str, tmp_path: Path) -> None:
    environment, document, texts = _WRONG[case]
    if document:
        (tmp_path / "invoiced.toml").write_text(document)
    with pytest.raises(Exception) as caught:  # noqa: PT011 - its text is what matters
        definitions(tmp_path, **environment)
    assert type(caught.value).__name__ == "ConfigurationError"
    for text in texts:
        assert text in str(caught.value)


def test_validate_names_a_wrong_setting_and_passes_right_ones(tmp_path: Path) -> None:
    command = ("dagster", "definitions", "validate", "-w", "workspace.yaml")
    with front_door(tmp_path, cold=True) as door:
        refused = door.run(*command, status=1, INVOICED_START_DATE="22.11.2025")
        assert "INVOICED_START_DATE: '22.11.2025' is not a date" in refused.said
        assert "MM/DD/YYYY" in refused.said
        assert "Validation successful" in door.run(*command).said
        assert not list(door.folder.glob("data/*.duckdb*"))
