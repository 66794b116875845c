"""The models as a package in somebody's own dbt project."""

import json

from invoiced_pipeline.models.manifest import DOCUMENT, render
from invoiced_pipeline.models.project import END_MODELS
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline_tests.models.compiled import Results


def test_all_models_are_built_and_their_tests_pass(built: Results) -> None:
    assert set(built.statuses.values()) == {"success", "pass"}, built.said
    assert {*END_MODELS, "owed"} <= built.statuses.keys()
    assert {"open_items_equal_balances", "balances_are_explained"} <= built.statuses.keys()


def test_dagster_s_manifest_is_up_to_date(built: Results) -> None:
    manifest = json.loads((built.folder / "target" / "manifest.json").read_text("utf-8"))
    assert DOCUMENT.read_text(encoding="utf-8") == render(manifest), "run: make docs"


def test_models_are_where_the_project_wants_them(built: Results) -> None:
    database = DuckDbDatabase(built.folder / "invoiced.duckdb")
    with database.session("finance_receivables", read_only=True) as session:
        assert session.tables() == set(END_MODELS)
        owed = session.rows("select currency, owed from finance.owed where owed <> 0 order by 1")
        balances = session.rows(
            "select currency, sum(balance) from acme.invoices where not draft "
            "and _deleted_at is null group by 1 having sum(balance) <> 0 order by 1"
        )
    assert owed == balances != []
