"""`invoiced-pipeline compare`: an old replica in the same database, a DuckDB file or Parquet."""

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner, Result

from invoiced_pipeline.cli import app
from invoiced_pipeline.comparison import keyed_rows
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline_tests.postgres_server import address

OURS = """
    create table invoices (
        id bigint, customer bigint, number text, currency text, total decimal(38,10), paid boolean,
        date timestamp with time zone, items json, updated_at timestamp with time zone,
        _extra json, _deleted_at timestamp with time zone
    );
    insert into invoices
    select n, 1, 'INV-' || n, case when n > 7 then 'jpy' else 'usd' end, n + 0.1,
        case when n = 1 then null else n = 2 end, timestamp with time zone '2026-03-01 00:00:00+00',
        '[{"amount": 1.5, "name": "a"}]', timestamp with time zone '2026-03-02 00:00:00+00',
        null, case when n = 6 then timestamp with time zone '2026-03-03 00:00:00+00' end
    from (values (1), (2), (3), (4), (5), (6), (7), (8)) as numbers(n);
    create table plans (id text, currency text, amount decimal(38,10), updated_at bigint,
        _deleted_at timestamp with time zone);
    insert into plans values
        ('B', 'usd', 1, 5, null), ('a', 'usd', 2, 5, null), ('é', 'usd', 3, 5, null)
"""
"""Eight invoices, the sixth deleted, and three plans that languages sort differently."""


class Old:
    """The types that an old replica is written with: those of target-duckdb, or of a server."""

    def __init__(self, schema: str, kind: str) -> None:
        whole, double = (
            ("hugeint", "double") if kind == "duckdb" else ("numeric", "double precision")
        )
        self.sql = f"""
            create schema {schema};
            create table {schema}.invoices (
                id {whole}, customer {whole}, number varchar, currency varchar, total {double},
                paid boolean, date timestamp, items json, updated_at timestamp,
                _sdc_batched_at timestamp, colour varchar
            );
            insert into {schema}.invoices
            select n, 1, 'INV-' || n, case when n > 7 then 'jpy' else 'usd' end, n + 0.1, n = 2,
                timestamp '2026-03-01 00:00:00', '[{{"name": "a", "amount": 1.50}}]',
                timestamp '2026-03-02 00:00:00', timestamp '2026-03-02 00:00:00', 'red'
            from (values (1), (2), (3), (4), (5), (6), (7), (8)) as numbers(n);
            create table {schema}.plan (id varchar, currency varchar, amount {double},
                updated_at {whole});
            insert into {schema}.plan values
                ('é', 'usd', 3, 5), ('a', 'usd', 2, 5), ('B', 'usd', 1, 5)
        """


CHANGES = """
    delete from {0}.invoices where id = 2;
    insert into {0}.invoices select 99, customer, number, currency, total, paid, date, items,
        timestamp '2020-01-01 00:00:00', _sdc_batched_at, colour from {0}.invoices where id = 1;
    update {0}.invoices set updated_at = timestamp '2026-03-01 00:00:00', total = 1 where id = 3;
    update {0}.invoices set updated_at = timestamp '2026-03-05 00:00:00' where id = 4;
    update {0}.invoices set number = 'X', items = '[]' where id in (5, 7);
    insert into {0}.invoices select id, customer, 'older', currency, total, paid, date, items,
        timestamp '2026-01-01 00:00:00', _sdc_batched_at, colour from {0}.invoices where id = 8
"""


@pytest.fixture
def folder(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose settings name the warehouse, with the two tables in it."""
    monkeypatch.chdir(tmp_path)
    if database.kind == "postgres":
        monkeypatch.setenv("INVOICED_DESTINATION", "postgres")
        monkeypatch.setenv("INVOICED_POSTGRES_URL", address(database))
    else:
        monkeypatch.setenv("INVOICED_DUCKDB_PATH", database.label)
    run(database, OURS)
    return tmp_path


def run(database: Database, sql: str) -> None:
    with database.session("invoiced") as session:
        for statement in sql.split(";"):
            session.run(statement)


def compare(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["compare", *arguments], catch_exceptions=False)


def data(*arguments: str, status: int) -> dict[str, Any]:
    """The tables of the result, by name."""
    ended = compare(*arguments, "--json")
    assert ended.exit_code == status, ended.output
    result = json.loads(ended.stdout)
    assert result["equal"] == (status == 0)
    return {each["table"]: each for each in result["tables"]}


@pytest.mark.everywhere
def test_what_another_tool_wrote(
    database: Database, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyed_rows, "PAGE", 3)
    run(database, Old("stitch_old", database.kind).sql)
    equal = data("--schema", "stitch_old", status=0)
    assert (equal["invoices"]["old_rows"], equal["invoices"]["deleted"]) == (8, 1)
    assert equal["plans"]["old_table"] == "plan"
    assert equal["invoices"]["not_compared"]["colour"] == "only in the old replica"
    assert equal["invoices"]["not_compared"]["balance"] == "only in the new replica"
    assert not equal["customers"]["old_table"]
    ended = compare("--schema", "stitch_old")
    assert ended.exit_code == 0
    assert "Equal: 2 tables." in ended.stdout

    run(database, CHANGES.format("stitch_old"))
    found = data("--schema", "stitch_old", status=1)["invoices"]
    findings = {
        name: each for name, each in found.items() if isinstance(each, dict) and each.get("rows")
    }
    assert findings == {
        "only_in_old": {"rows": 1, "examples": [99]},
        "only_in_new": {"rows": 1, "examples": [2]},
        "older_in_old": {"rows": 1, "examples": [3]},
        "older_in_new": {"rows": 1, "examples": [4]},
    }
    assert found["columns"] == {
        "items": {"rows": 2, "examples": [5, 7]},
        "number": {"rows": 2, "examples": [5, 7]},
    }
    assert (found["before_oldest"], found["surplus"]) == (1, 1)
    totals = {each["currency"]: (each["old"], each["new"]) for each in found["totals"]}
    assert {currency: [float(side) for side in each] for currency, each in totals.items()} == {
        "usd": [19.5, 22.6],
        "jpy": [8.1, 8.1],
    }
    ended = compare("--schema", "stitch_old")
    assert ended.exit_code == 1
    for said in (
        "invoices: 1 row only in the old replica: 99",
        "invoices: number differs in 2 rows: 5, 7",
        "an earlier start_date loads them",
        "Different: invoices.",
    ):
        assert said in ended.stdout


@pytest.mark.parametrize("kind", ["boolean", "timestamp"])
def test_rows_that_the_other_tool_marks_as_deleted(
    database: Database, folder: Path, kind: str
) -> None:
    run(database, Old("old", database.kind).sql)
    name, mark = "_fivetran_deleted", "true"
    if kind == "timestamp":
        name, mark = "_sdc_deleted_at", "timestamp '2026-03-03 00:00:00'"
    run(database, f"alter table old.invoices add column {name} {kind};"
        f"update old.invoices set {name} = {mark} where id = 6")  # fmt: skip
    assert data("--schema", "old", status=0)["invoices"]["deleted"] == 1
    run(database, f"update old.invoices set {name} = null where id = 6;"
        f"update old.invoices set {name} = {mark} where id = 7")  # fmt: skip
    found = data("--schema", "old", status=1)["invoices"]
    assert found["deleted_in_new"] == {"rows": 1, "examples": [6]}
    assert found["deleted_in_old"] == {"rows": 1, "examples": [7]}


@pytest.mark.everywhere
def test_a_file_or_a_folder_beside_any_warehouse(database: Database, folder: Path) -> None:
    file = folder / "stitch.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute(Old("old", "duckdb").sql)
        (folder / "export" / "invoices").mkdir(parents=True)
        for part in (0, 1):
            connection.execute(
                f"copy (select * from old.invoices where id % 2 = {part}) "
                f"to '{folder}/export/invoices/{part}.parquet'"
            )
        connection.execute(f"copy old.plan to '{folder}/export/PLANS.parquet'")
    attached = data("--schema", "old", "--attach", str(file), status=0)
    exported = data("--parquet", str(folder / "export"), status=0)
    for found in (attached, exported):
        assert {name for name, each in found.items() if each["old_table"]} == {"invoices", "plans"}
        assert found["invoices"]["old_rows"] == 8
    chosen = data("--parquet", str(folder), "--schema", "export", "--select", "plans", status=0)
    assert chosen.keys() == {"plans"}


def test_hashed_columns_are_not_compared(database: Database, folder: Path) -> None:
    run(database, Old("old", database.kind).sql)
    run(database, "update invoices set number = null")
    (folder / "invoiced.toml").write_text(
        '[[connection]]\nname = "Invoiced"\n[connection.tables.invoices]\ndrop = ["number"]\n'
    )
    found = data("--schema", "old", status=0)["invoices"]
    assert found["not_compared"]["number"] == "dropped"


def test_a_table_that_cannot_be_compared_is_a_difference(database: Database, folder: Path) -> None:
    run(database, Old("old", database.kind).sql)
    run(database, "alter table old.plan drop column updated_at;"
        "create table old.customers (id varchar, updated_at timestamp)")  # fmt: skip
    ended = compare("--schema", "old")
    assert ended.exit_code == 1
    assert "plans: not compared: plan has no column updated_at" in ended.stdout
    assert "customers: not compared: it is not in the new replica yet" in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Name the other replica: --schema, or --parquet"),
        (("--schema", "invoiced"), "invoiced is the dataset itself"),
        (
            ("--schema", 'no"%s'),
            "has no schema 'no\"%s' with tables. Schemas with tables: invoiced",
        ),
        (("--schema", "odd"), "odd has none of the tables customers, "),
        (("--schema", "odd", "--attach", "none.duckdb"), "There is no file none.duckdb"),
        (("--parquet", "none"), "There is no folder none"),
        (("--parquet", "."), "has no Parquet files"),
        (("--schema", "a", "--attach", "b", "--parquet", "c"), "exclude each other"),
        (("--schema", "odd", "--select", "invoice"), "--select: no table invoice"),
        (("--schema", "odd", "--connection", "x"), "has no connection 'x'"),
    ],
)
def test_a_mistake_exits_with_2(
    database: Database, folder: Path, arguments: tuple[str, ...], said: str
) -> None:
    run(database, "create schema odd; create table odd.things (id bigint)")
    ended = compare(*arguments)
    assert ended.exit_code == 2
    assert said in ended.stderr
    assert ended.stdout == ""
