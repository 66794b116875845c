"""Several connections in one code location: each has its own assets, jobs and key."""

import base64
from collections.abc import Iterator
from contextlib import ExitStack

import dagster as dg
import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLE_NAMES
from invoiced_pipeline_tests.conftest import customer
from invoiced_pipeline_tests.defs.conftest import START, Service
from invoiced_pipeline_tests.front_door import KEY
from invoiced_pipeline_tests.invoiced.handmade import HandmadeApi
from invoiced_pipeline_tests.proxy import running_proxy

OTHER_KEY = "AnotherNeverSeenKey0123456789abc"
NOW = int(START.timestamp()) + 3600


def basic(key: str) -> str:
    return "Basic " + base64.b64encode(f"{key}:".encode()).decode()


@pytest.fixture
def other() -> Iterator[Emulator]:
    """Another account, with another key."""
    with Emulator(api_key=OTHER_KEY) as emulator:
        yield emulator


def configure(service: Service, monkeypatch: pytest.MonkeyPatch, *lines: str) -> None:
    """Adds a second connection to that of the environment."""
    first = ["[[connection]]", 'description = "The first company"', "[[connection]]"]
    (service.folder / "invoiced.toml").write_text("\n".join([*first, *lines]), encoding="utf-8")
    service.environment["BETA_KEY"] = OTHER_KEY
    monkeypatch.setenv("BETA_KEY", OTHER_KEY)


def test_each_has_a_dataset_a_group_jobs_and_schedules(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(
        service,
        monkeypatch,
        'name = "Beta Two"',
        'api_key_env = "BETA_KEY"',
        'partitions = "weekly"',
        'description = "The second company"',
        'owners = ["team:beta", "beta@example.com"]',
        'tags = { domain = "finance" }',
        "[connection.schedule]",
        'frequency = "6h"',
    )
    defs = service.definitions()
    dg.Definitions.validate_loadable(defs)
    repository = defs.get_repository_def()
    specs = {spec.key.to_user_string(): spec for spec in defs.resolve_all_asset_specs()}
    tables = defs.resolve_asset_graph().materializable_asset_keys
    assert {key.to_user_string() for key in tables} == {
        f"{of}/{name}" for of in ("invoiced", "beta_two") for name in TABLE_NAMES
    }
    assert {"invoiced/invoiced_account", "beta_two/invoiced_account"} < set(specs)
    first, second = specs["invoiced/plans"], specs["beta_two/plans"]
    assert (first.group_name, second.group_name) == ("invoiced", "beta_two")
    assert type(first.partitions_def) is not type(second.partitions_def)
    assert "The first company" in (first.description or "")
    assert "The second company" in (second.description or "")
    assert (first.owners, second.owners) == ([], ["team:beta", "beta@example.com"])
    assert second.tags["domain"] == "finance"
    assert second.metadata["endpoint"] == "GET https://api.invoiced.com/plans"
    jobs = {name for name in repository.job_names if not name.startswith("__")}
    assert jobs == {f"{of}_{what}" for of in ("invoiced", "beta_two") for what in ("sync", "sweep")}
    crons = {each.name: each.cron_schedule for each in repository.schedule_defs}
    assert crons["invoiced_sync_schedule"] == "0 * * * *"
    assert crons["beta_two_sync_schedule"] == "0 0,6,12,18 * * *"
    assert {"invoiced_sweep_schedule", "beta_two_sweep_schedule"} < set(crons)
    assert "The second company" in (defs.resolve_job_def("beta_two_sync").description or "")
    assert set(repository.get_top_level_resources()) == {
        "warehouse",
        "invoiced_api",
        "start_date",
        "invoiced_api_beta_two",
        "start_date_beta_two",
    }


def test_no_key_reaches_the_other_host(
    service: Service, account: Emulator, other: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sandbox and production: each server receives only its own key."""
    account.store.put("customers", customer(1, NOW))
    other.store.put_many("customers", [customer(1, NOW), customer(2, NOW)])
    with ExitStack() as stack:
        production = stack.enter_context(HandmadeApi(forward_to=account.url))
        sandbox = stack.enter_context(HandmadeApi(forward_to=other.url))
        settings = "invoiced_pipeline.settings.connection"
        monkeypatch.setattr(f"{settings}.PRODUCTION_URL", production.url)
        monkeypatch.setattr(f"{settings}.SANDBOX_URL", sandbox.url)
        del service.environment["INVOICED_API_URL"]
        monkeypatch.delenv("INVOICED_API_URL")
        start = f"start_date = {START:%Y-%m-%d}"
        configure(
            service,
            monkeypatch,
            'name = "Beta"',
            'api_key_env = "BETA_KEY"',
            "sandbox = true",
            start,
        )
        for name in ("Invoiced", "Beta"):
            assert service.sync("customers", connection=name).error is None
            assert service.sweep("customers", connection=name).error is None
        assert {sent["authorization"] for _, sent in production.requests} == {basic(KEY)}
        assert {sent["authorization"] for _, sent in sandbox.requests} == {basic(OTHER_KEY)}
    assert service.query("select id from customers order by id") == [(1,)]
    assert service.query("select id from customers order by id", "beta") == [(1,), (2,)]
    assert service.query("select distinct connection from _sync_log", "beta") == [("Beta",)]


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"connection": "Invoiced", "base_url": "https://example.com"},
            "its key is sent only there",
        ),
        (
            {"connection": "Beta", "base_url": "http://localhost:1"},
            "these tables belong to 'Invoiced'",
        ),
    ],
)
def test_a_runs_configuration_cannot_send_a_key_elsewhere(
    service: Service, monkeypatch: pytest.MonkeyPatch, config: dict[str, str], message: str
) -> None:
    configure(service, monkeypatch, 'name = "Beta"', 'api_key_env = "BETA_KEY"')
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("something was sent"))
    run_config = {"resources": {"invoiced_api": {"config": config}}}
    outcome = service.materialize(f"{START:%Y-%m}-01", tables=["plans"], config=run_config)
    assert message in outcome.error


def test_two_connections_to_one_account(
    service: Service, account: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They give tables of one account different schedules, as users of Stitch do."""
    account.store.put_many("customers", [customer(1, NOW), customer(2, NOW)])
    configure(
        service,
        monkeypatch,
        'name = "Nightly"',
        f'api_url = "{account.url}"',
        f"start_date = {START:%Y-%m-%d}",
        "[connection.schedule]",
        'frequency = "24h"',
    )
    assert service.sync("plans").error is None
    assert service.sync("customers", connection="nightly").error is None
    assert service.query("select count(*) from customers", "nightly") == [(2,)]
    tables = service.query(
        "select table_name from information_schema.tables where "
        "table_schema = 'invoiced' and table_name in ('plans', 'customers')"
    )
    assert tables == [("plans",)]
    # Both datasets remember their connection.
    (service.folder / "invoiced.toml").write_text(
        f'[[connection]]\n[[connection]]\nname = "NIGHTLY"\napi_url = "{account.url}"\n'
    )
    refused = service.sync("customers", connection="nightly").error or ""
    assert "This dataset belongs to connection 'Nightly', and the settings say 'NIGHTLY'" in refused


def test_a_run_goes_through_the_connections_proxy(
    service: Service, account: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.store.put("customers", customer(1, NOW))
    with running_proxy() as proxy:
        monkeypatch.setenv("INVOICED_PROXY", f"http://user:{KEY}@{proxy.address}")
        service.environment["INVOICED_PROXY"] = f"http://user:{KEY}@{proxy.address}"
        assert service.sync("customers").error is None
        assert len(proxy.requests) == len(account.requests) > 0
    # The fixture searches all files that the run left for KEY.
    assert service.ids("customers") == [1]
