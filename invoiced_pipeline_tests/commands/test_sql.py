"""`invoiced-pipeline sql`: exact values, nothing cut off, read-only."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from invoiced_pipeline.cli import app
from invoiced_pipeline.commands import sql as command
from invoiced_pipeline.exceptions import ConfigurationError, WarehouseError
from invoiced_pipeline_tests.warehouses import opened, warehouse_variables

LONG = "A name that is much longer than a narrow terminal, and must not be cut off at its end"
ROWS = f"""
    insert into invoices values
    (1, '{LONG}', 1234567890123456789012345678.5000000000, '{{"a": [1, 2.50]}}',
     timestamp with time zone '2026-11-25 12:30:15+00', true),
    (2, 'Müller, "Söhne"', 0.1, null, null, false)
"""

Sql = Callable[..., str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, str]]]:
    """A folder with a warehouse."""
    folder = tmp_path_factory.mktemp("sql")
    with warehouse_variables() as variables:
        (folder / "data").mkdir()
        with opened(variables, folder).session("invoiced") as session:
            session.run(
                "create table invoices (id bigint, name text, total decimal(38,10), "
                "metadata json, created_at timestamp with time zone, paid boolean)"
            )
            session.run(ROWS)
        yield folder, variables


@pytest.fixture
def sql(folder: tuple[Path, dict[str, str]], monkeypatch: pytest.MonkeyPatch) -> Sql:
    """The command's output."""
    monkeypatch.chdir(folder[0])
    for name, value in folder[1].items():
        monkeypatch.setenv(name, value)

    def run(*arguments: str, stdin: str = "", status: int = 0) -> str:
        ended = CliRunner().invoke(app, ["sql", *arguments], input=stdin, catch_exceptions=False)
        assert ended.exit_code == status, ended.output
        return ended.stdout

    return run


def test_json_is_exact_and_nested(sql: Sql) -> None:
    out = sql("select * from invoices order by id", "--json")
    first, second = json.loads(out, parse_float=str)
    assert first["total"] == "1234567890123456789012345678.5000000000"
    assert first["metadata"] == {"a": [1, "2.50"]}
    assert first["created_at"] == "2026-11-25T12:30:15Z"
    assert (first["paid"], second["paid"], second["metadata"]) == (True, False, None)
    assert json.loads(sql("select 1 as a from invoices where id = 7", "--json")) == []
    (row,) = json.loads(sql("select 1 as id, 2 as id", "--json"))
    assert row == {"id": 1, "id_2": 2}


def test_csv_from_stdin(sql: Sql) -> None:
    out = sql("--csv", stdin="select id, name, total, paid, metadata from invoices order by id\n")
    assert list(csv.reader(io.StringIO(out))) == [
        ["id", "name", "total", "paid", "metadata"],
        ["1", LONG, "1234567890123456789012345678.5", "true", '{"a": [1, 2.50]}'],
        ["2", 'Müller, "Söhne"', "0.1", "false", ""],
    ]


def test_a_table_is_never_cut(sql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    query = "select * from invoices order by id"
    piped = sql(query)
    (line,) = [line for line in piped.splitlines() if LONG in line]
    assert "1234567890123456789012345678.5" in line
    assert "2 rows." in piped
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "80")
    narrow = re.sub(r"\x1b\[[0-9;]*m", "", sql(query))
    assert f"name        {LONG}" in narrow
    assert "total       1234567890123456789012345678.5\n" in narrow
    many = sql("select a.id from " + ", ".join(f"invoices {name}" for name in "abcdefgh"))
    assert "The first 100 rows; --csv and --json print all." in many


@pytest.mark.parametrize(
    "query",
    [
        "delete from invoices",
        "update invoices set id = 0",
        "create table invoiced.other (id bigint)",
        "drop table invoices",
        "with gone as (delete from invoices returning id) select * from gone",
        "commit; delete from invoices",
    ],
)
def test_nothing_can_be_written(sql: Sql, query: str) -> None:
    with pytest.raises(WarehouseError):
        sql(query)
    assert json.loads(sql("select count(*) as n from invoices", "--json")) == [{"n": 2}]


def test_errors_say_what_is_missing(sql: Sql) -> None:
    with pytest.raises(ConfigurationError, match="No SQL was given"):
        sql()
    with pytest.raises(ConfigurationError, match="choose one"):
        sql("select 1", "--csv", "--json")
    with pytest.raises(WarehouseError, match="nowhere"):
        sql("select * from nowhere")


@pytest.mark.duckdb("a server is taken to exist")
def test_a_missing_warehouse_is_not_created(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(WarehouseError, match="To fill it: invoiced-pipeline sync"):
        CliRunner().invoke(app, ["sql", "select 1"], catch_exceptions=False)
    assert list(tmp_path.iterdir()) == []


def test_the_prompt_continues_after_an_error(
    sql: Sql, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["select id,", "  paid", "from invoices where id = 2;", "select nonsense;"]
    typed = iter([*lines, "\\d", "\\d invoices", "select 6 * 7 as answer;", "\\q"])
    monkeypatch.setattr("builtins.input", lambda _: next(typed))
    monkeypatch.setattr(command.sys, "stdin", type("Terminal", (), {"isatty": lambda _: True})())
    command.sql()
    said = capsys.readouterr()
    assert "Tables of invoiced in" in said.out
    assert re.search(r"2\s+false", said.out)
    assert "nonsense" in said.err
    assert re.search(r"invoices\s+BASE TABLE", said.out)
    assert re.search(r"metadata\s+json", said.out, re.IGNORECASE)
    assert re.search(r"answer\s*\n.*\n\s*42", said.out)
