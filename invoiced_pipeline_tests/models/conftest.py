"""One run of dbt for all tests of the models on one kind of warehouse, in whatever process."""

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from filelock import FileLock

from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline.warehouse.postgres.database import PostgresDatabase
from invoiced_pipeline_tests.conftest import Replica
from invoiced_pipeline_tests.front_door import invoiced_account
from invoiced_pipeline_tests.models import compiled
from invoiced_pipeline_tests.postgres_server import address
from invoiced_pipeline_tests.warehouses import Kind, new_warehouse

HISTORY: dict[str, Any] = {"subscriptions": {"history": True}}
"""What a replica keeps for the models: they find the history when dbt compiles them."""


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> compiled.Results:
    """The models in a user's dbt project, over the dataset `acme` of a DuckDB file."""
    return _built(tmp_path_factory, "duckdb")


@pytest.fixture
def models(
    tmp_path_factory: pytest.TempPathFactory, database: Database, replicate: Replica
) -> compiled.Models:
    """The models over the warehouse of `replicate`, in the SQL of its kind."""
    kind: Kind = "postgres" if database.kind == "postgres" else "duckdb"
    statements = _built(tmp_path_factory, kind).statements()
    replicate.tables = HISTORY
    return compiled.Models(statements, database, replicate.dataset)


def _built(factory: pytest.TempPathFactory, kind: Kind) -> compiled.Results:
    folder = _shared(factory) / f"models_{kind}"
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "target" / "run_results.json").exists():
            folder.mkdir()
            with new_warehouse(folder, kind) as database:
                with invoiced_account(customers=12) as account:
                    replica = Replica(account.url, account.api_key, database, "acme", HISTORY)
                    replica.ok()
                    replica.keep_views()
                said = compiled.build(folder, _output(database)).said
            (folder / "said").write_text(said, encoding="utf-8")
    return compiled.results(folder, (folder / "said").read_text("utf-8"))


def _output(database: Database) -> dict[str, Any]:
    """How dbt connects to a warehouse."""
    shared = {"schema": "finance", "threads": 2}
    if isinstance(database, DuckDbDatabase):
        return {"type": "duckdb", "path": database.label, **shared}
    assert isinstance(database, PostgresDatabase)
    url = urlsplit(address(database))
    return {
        "type": "postgres",
        "host": parse_qs(url.query).get("host", [url.hostname])[0],
        "port": url.port or 5432,
        "user": url.username,
        "password": url.password,
        "dbname": url.path.strip("/"),
        **shared,
    }


def _shared(factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of a test run have in common."""
    own = factory.getbasetemp()
    return own.parent if own.name.startswith("popen-") else own
