"""One run of dbt for all tests of the models, in whatever process they run."""

from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline_tests.conftest import Replica
from invoiced_pipeline_tests.front_door import invoiced_account
from invoiced_pipeline_tests.models import compiled

HISTORY: dict[str, Any] = {"subscriptions": {"history": True}}
"""What a replica keeps for the models: they find the history when dbt compiles them."""


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> compiled.Results:
    """The models in a user's dbt project, over the dataset `acme` of a DuckDB file."""
    folder = _shared(tmp_path_factory) / "models"
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "target" / "run_results.json").exists():
            folder.mkdir()
            file = folder / "warehouse.duckdb"
            with invoiced_account(customers=12) as account:
                database = DuckDbDatabase(file)
                replica = Replica(account.url, account.api_key, database, "acme", HISTORY)
                replica.ok()
                replica.keep_views()
            output = {"type": "duckdb", "path": str(file), "schema": "finance", "threads": 2}
            said = compiled.build(folder, output).said
            (folder / "said").write_text(said, encoding="utf-8")
    return compiled.results(folder, (folder / "said").read_text("utf-8"))


def _shared(factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of a test run have in common."""
    own = factory.getbasetemp()
    return own.parent if own.name.startswith("popen-") else own
