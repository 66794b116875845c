"""The models in the asset graph: names, lineage and checks, for each connection its own."""

from pathlib import Path

import dagster as dg
import pytest

from invoiced_pipeline.defs.assembly import build_definitions
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.models import installed
from invoiced_pipeline.models.project import END_MODELS
from invoiced_pipeline.settings import load_settings

TWO = """
[models]
enabled = true
[[connection]]
name = "Acme"
start_date = "2025-01-01"
tags = {team = "finance"}
[[connection]]
name = "Beta"
api_key_env = "BETA_KEY"
start_date = "2025-01-01"
"""


@pytest.fixture(scope="module")
def defs(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    folder = tmp_path_factory.mktemp("models")
    (folder / "invoiced.toml").write_text(TWO, encoding="utf-8")
    return build_definitions(load_settings({}, folder))


@pytest.mark.parametrize("dataset", ["acme", "beta"])
def test_models_are_downstream_of_their_own_tables(defs: dg.Definitions, dataset: str) -> None:
    graph = defs.resolve_asset_graph()
    group = f"{dataset}_models"
    keys = {dg.AssetKey([group, name]) for name in END_MODELS}
    assert {key for key in graph.get_all_asset_keys() if graph.get(key).group_name == group} == keys
    parents = set().union(*(graph.get(key).parent_keys for key in keys))
    assert {key.path[0] for key in parents} == {dataset, group}
    tables = graph.get(dg.AssetKey([group, "invoiced__ar_ledger"])).parent_keys
    assert tables == {
        dg.AssetKey([dataset, name])
        for name in (
            "invoices", "credit_notes", "payments", "payments__applied_to", "transactions",
        )
    }  # fmt: skip
    job = defs.resolve_job_def(group)
    assert job.asset_layer.executable_asset_keys == keys
    assert {key.asset_key for key in graph.asset_check_keys if key.asset_key in keys} == keys


def test_assets_tell_what_the_models_hold(defs: dg.Definitions) -> None:
    spec = defs.resolve_asset_graph().get(dg.AssetKey(["acme_models", "invoiced__ar_aging"]))
    assert spec.metadata["dagster/table_name"] == "acme_models.invoiced__ar_aging"
    columns = spec.metadata["dagster/column_schema"].columns
    assert [column.name for column in columns][:3] == ["as_of_date", "is_today", "customer_id"]
    assert all(column.description for column in columns)
    assert (spec.description or "").startswith("Receivables by age")
    assert spec.tags["team"] == "finance"


def test_without_dbt_the_setting_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(installed, "find_spec", lambda _: None)
    (tmp_path / "invoiced.toml").write_text(TWO, encoding="utf-8")
    with pytest.raises(ConfigurationError, match="pip install 'invoiced-pipeline"):
        build_definitions(load_settings({}, tmp_path))
