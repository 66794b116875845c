"""Tables, queries and files as sources: read exactly, and unable to change anything."""

from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import WritebackSettings
from invoiced_pipeline.warehouse.database import Database, Selection
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline.writeback.plan.planner import PlanRequest, make_plan
from invoiced_pipeline.writeback.source.source_reader import read_source

pytestmark = pytest.mark.duckdb("these queries are in its dialect")

BIG = Decimal("1000000000000000.01")
EPOCH_2026 = 1_767_225_600


def settings_of(source: str, **options: Any) -> WritebackSettings:
    values = {"name": "it", "operation": "record_payment", "key": "id", "active": True} | options
    return WritebackSettings(source=source, **values)  # pyright: ignore[reportArgumentType]


def bodies(database: Database, folder: Path, source: str, **options: Any) -> list[Any]:
    """The bodies that the rows of a source would send."""
    settings = settings_of(source, exclude=["id"], **options)
    plan = make_plan(PlanRequest(settings=settings, dataset="invoiced", folder=folder), database)
    assert [row.reason for row in plan.rows if row.reason] == []
    return [row.body for row in plan.rows]


@pytest.fixture
def database(warehouse: Path) -> Database:
    """These queries are in DuckDB's dialect."""
    return DuckDbDatabase(warehouse)


@pytest.fixture
def warehouse_table(database: Database) -> Database:
    """A table `sales` in the dataset, with every type that matters."""
    with database.session("invoiced") as session:
        session.run(
            "create table sales as select 'p1' as id, 1000000000000000.01::decimal(38,10) as amount"
            ", date '2026-01-01' as date, '{\"k\": 1000000000000000.01}'::json as metadata, "
            "[{'type': 'invoice', 'invoice': 7, 'amount': 2.50::decimal(10,2)}] as applied_to"
        )
    return database


EXACT = {
    "amount": BIG,
    "date": EPOCH_2026,
    "metadata": {"k": BIG},
    "applied_to": [{"type": "invoice", "invoice": 7, "amount": Decimal("2.50")}],
}


@pytest.mark.parametrize(
    "source",
    ["sales", "invoiced.sales", '"sales"', "select * from sales;", "from sales"],
)
def test_tables_and_queries_are_exact(
    warehouse_table: Database, tmp_path: Path, source: str
) -> None:
    assert bodies(warehouse_table, tmp_path, source) == [EXACT]


@pytest.mark.parametrize("ending", ["csv", "parquet", "ndjson", "jsonl"])
def test_files_are_exact(database: Database, tmp_path: Path, ending: str) -> None:
    name = f"my sales.{ending}"
    structured = ending != "csv"
    lines = {
        "csv": 'id,amount,date,notes\np1,1000000000000000.01,2026-01-01,"00123, x"\n',
        "ndjson": '{"id": "p1", "amount": 1000000000000000.01, "date": "2026-01-01", "applied_to":'
        ' [{"type": "invoice", "invoice": 7, "amount": 2.50}]}\n',
    }
    lines["jsonl"] = lines["ndjson"]
    if ending == "parquet":
        duckdb.sql(
            "copy (select 'p1' as id, 1000000000000000.01::decimal(38,10) as amount, date "
            "'2026-01-01' as date, [{'type': 'invoice', 'invoice': 7, 'amount': "
            f"2.50::decimal(10,2)}}] as applied_to) to '{tmp_path / name}'"
        )
    else:
        (tmp_path / name).write_text(lines[ending], encoding="utf-8")
    (body,) = bodies(database, tmp_path, name)
    assert (body["amount"], body["date"]) == (BIG, EPOCH_2026)
    if structured:
        assert body["applied_to"] == EXACT["applied_to"]
    else:
        assert body["notes"] == "00123, x"


def test_a_query_over_files_needs_no_warehouse(database: Database, tmp_path: Path) -> None:
    (tmp_path / "crm.csv").write_text("id,amount\np1,9.99\n", encoding="utf-8")
    query = f"select id, amount from read_csv('{tmp_path / 'crm.csv'}')"
    assert bodies(database, tmp_path, query) == [{"amount": Decimal("9.99")}]
    assert not database.exists()


def test_expressions_see_the_columns(database: Database, tmp_path: Path) -> None:
    (tmp_path / "crm.csv").write_text("id,amount,way\np1,9.99,CHECK\n", encoding="utf-8")
    mapping = {"method": {"sql": "lower(way) -- as Invoiced has it"}, "notes": "way"}
    found = bodies(database, tmp_path, "crm.csv", mapping=mapping)
    assert found == [{"amount": Decimal("9.99"), "method": "check", "notes": "CHECK"}]


@pytest.mark.parametrize(
    "statement",
    [
        "delete from sales",
        "select 1 as id; delete from sales",
        "with gone as (delete from sales returning *) select * from gone",
        "insert into sales select * from sales",
        "copy (select 1 as id) to '{file}'",
        "select 1 as id) as source; copy (select 1) to '{file}'; select * from (select 1",
        "create table other as select 1 as id",
        "attach '{file}' as other",
        "export database '{file}'",
        "set threads = 1",
        "install httpfs",
    ],
)
def test_a_source_cannot_change_anything(
    warehouse_table: Database, tmp_path: Path, statement: str
) -> None:
    file = tmp_path / "written"
    query = statement.format(file=file)
    settings = settings_of("select 1 as id").model_copy(update={"source": query})
    with pytest.raises(ConfigurationError, match="its source cannot be read"):
        read_source(settings, warehouse_table, "invoiced")
    hidden = settings.model_copy(update={"source": f"with a as (select 1) {query}"})
    with pytest.raises(ConfigurationError, match="its source cannot be read"):
        read_source(hidden, warehouse_table, "invoiced")
    assert not file.exists()
    with warehouse_table.session("invoiced", read_only=True) as session:
        assert session.rows("select count(*) from sales") == [(1,)]
        assert session.tables() == {"sales"}


@pytest.mark.parametrize(
    ("source", "options", "message"),
    [
        ("select 1 as a", {}, "key names the column 'id', but the source has a"),
        ("select 1 as id", {"mapping": {"amount": "sum"}}, "would be { value = ... }"),
        ("select 1 as id", {"exclude": ["x"]}, "exclude names the column 'x'"),
        ("select 1 as id, 2 as id", {}, "two columns called 'id'"),
        ("nothing.csv", {}, "there is no file"),
        ("no_such_table", {}, "no_such_table"),
        ("drop table x", {}, "is not a table, a SELECT, or a .csv"),
        ("select 1 as id", {"mapping": {"amount": {"sql": "nope("}}}, "cannot be read"),
        ("select '4242424242424242x'::int as id", {}, "Could not convert string '(hidden)x'"),
    ],
)
def test_a_wrong_source_is_refused(
    database: Database, source: str, options: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        read_source(settings_of(source, **options), database, "invoiced")
    assert message in str(caught.value)
    assert "Write-back 'it'" in str(caught.value)
    assert "4242" not in str(caught.value)


def test_rows_keep_their_order(database: Database) -> None:
    query = "select range as id from range(5000) order by range desc"
    mapping = {"amount": {"sql": "id * 2"}}
    found: Selection = read_source(settings_of(query, mapping=mapping), database, "invoiced")
    assert [row[0] for row in found.rows] == list(range(4999, -1, -1))
