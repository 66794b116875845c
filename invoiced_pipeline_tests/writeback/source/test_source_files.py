"""Files as sources are read as they are, or refused; Python's `csv` module is the reference."""

import csv
import io
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invoiced_pipeline.exceptions import ConfigurationError, WarehouseError
from invoiced_pipeline.settings import WritebackSettings
from invoiced_pipeline.warehouse.database import Database, Selection
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline.warehouse.files.source import select_file
from invoiced_pipeline.warehouse.files.text import Dialect
from invoiced_pipeline.writeback.plan.plan import Plan
from invoiced_pipeline.writeback.plan.planner import PlanRequest, make_plan
from invoiced_pipeline.writeback.source.source_reader import read_source

pytestmark = pytest.mark.duckdb("files are read in the same way for every warehouse")

NAMES = ["'t Hart", "Growers'", "'Quoted'", "# 7", "#", "a|b", "tab\there", "two\nlines", "0012"]
AWKWARD = st.one_of(
    st.sampled_from(NAMES),
    st.text(st.sampled_from(list("ab\"',;#|\t\r\n \\0üñ漢😀")), max_size=8),
    st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12),
)
QUOTING = st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC])


@pytest.fixture
def database(tmp_path: Path) -> Database:
    """Files need no warehouse; expressions run in memory."""
    return DuckDbDatabase(tmp_path / "none.duckdb")


def plan_of(database: Database, folder: Path, source: str, **options: Any) -> Plan:
    values = {"name": "it", "operation": "create_customer", "key": "ext_id", "active": True}
    values |= {"mapping": {"number": "ext_id"}} | options
    found = WritebackSettings(source=source, **values)  # pyright: ignore[reportArgumentType]
    request = PlanRequest(settings=found, dataset="invoiced", folder=folder)
    return make_plan(request, database)


def complaint(database: Database, folder: Path, source: str, **options: Any) -> str:
    """The error of a refused source: one sentence without a traceback."""
    with pytest.raises(ConfigurationError) as caught:
        plan_of(database, folder, source, **options)
    return str(caught.value)


def by_csv(text: str, delimiter: str = ",") -> tuple[list[str], list[tuple[str | None, ...]]]:
    """Header and rows as Python's `csv` module reads them."""
    rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter))
    kept = [tuple(field or None for field in row) for row in rows[1:] if any(map(str.strip, row))]
    return rows[0], kept


def assert_like_csv(path: Path, text: str, dialect: Dialect) -> Selection:
    found = select_file(path, {}, dialect)
    header, rows = by_csv(text, dialect.delimiter)
    assert list(found.columns) == header
    assert found.rows == rows
    assert found.is_text
    return found


@settings(max_examples=300, deadline=None)
@given(
    rows=st.lists(st.tuples(AWKWARD, AWKWARD, AWKWARD), max_size=6),
    quoting=QUOTING,
    end=st.sampled_from(["\n", "\r\n"]),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
    has_mark=st.booleans(),
)
def test_a_csv_is_what_the_csv_module_reads(
    tmp_path_factory: pytest.TempPathFactory,
    rows: list[tuple[str, str, str]],
    quoting: Any,
    end: str,
    delimiter: str,
    *,
    has_mark: bool,
) -> None:
    written = io.StringIO(newline="")
    writer = csv.writer(written, quoting=quoting, lineterminator=end, delimiter=delimiter)
    writer.writerows([("ext_id", "name", "#notes"), *rows])
    text = written.getvalue()
    path = tmp_path_factory.mktemp("csv") / "year=2026 [1]*.csv"
    path.write_bytes(text.encode("utf-8-sig" if has_mark else "utf-8"))
    if any(len(row) != 3 for row in by_csv(text, delimiter)[1]):
        # The writer leaves a carriage return without quotes, which ends a line.
        with pytest.raises(WarehouseError, match="and its header has 3"):
            select_file(path, {}, Dialect(delimiter=delimiter))
        return
    assert_like_csv(path, text, Dialect(delimiter=delimiter))


@pytest.mark.parametrize(
    "text",
    [
        "ext_id,name\nC1,'t Hart\nC2,Growers'\nC3,Next\nC4,Other\n",
        "ext_id,name\nC1,Alpha\nC2,'Quoted'\n",
        "# id,name\n#1,a\n# 2,b\n",
        'ext_id,name\nC1,5" pipe\nC2,a"b"c\n',
        "ext_id,name\r\nC1,a\rC2,b\n",
        'a,b\n"x ""y""",\\"\n',
        "a\n1\n\n \n2\n",
        "date,amount\n2026-01-01,1e5\n01.02.2026,007\n",
        "a,b\nNULL,nan\nN/A,true\n",
    ],
)
def test_files_by_hand_are_what_the_csv_module_reads(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.csv").write_bytes(text.encode())
    assert_like_csv(tmp_path / "x.csv", text, Dialect())


@pytest.mark.parametrize(
    "late", ['D1,"Late, quoted ""x"""', "D1,'late'", "D1,# late", 'D1,"late\nand later"', "D1,a|b"]
)
def test_late_rows_of_a_long_file_are_read_like_early_ones(tmp_path: Path, late: str) -> None:
    lines = ["ext_id,name", *(f"{at:06},Name {at}" for at in range(25_000)), late]
    text = "\n".join(lines)
    (tmp_path / "x.CSV").write_text(text, encoding="utf-8")
    found = assert_like_csv(tmp_path / "x.CSV", text, Dialect())
    assert len(found.rows) == 25_001
    assert found.rows[0] == ("000000", "Name 0")


def test_a_field_may_be_long(tmp_path: Path) -> None:
    text = f"a,b\n1,{'x' * 500_000}\n"
    (tmp_path / "x.csv").write_text(text, encoding="utf-8")
    assert_like_csv(tmp_path / "x.csv", text, Dialect())


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "x.csv is empty"),
        (b"\xef\xbb\xbf", "x.csv is empty"),
        (b"\nC1,a\n", "column 1 of x.csv has no name"),
        (b"ext_id,,name\n1,2,3\n", "column 2 of x.csv has no name"),
        (b"ext_id,name,name\n1,2,3\n", "line 1 of x.csv has two columns called 'name'"),
        (b"ext_id,name\nA,b\nC,d\next_id,name,email\nN,g,c\n", "line 4 of x.csv has 3 fields"),
        (b'ext_id,name\n\n,\n"two\nlines",b\nC2\n', "line 6 of x.csv has 1 field,"),
        (b"ext_id;name\nC1;1,5\n", 'set delimiter = ";"'),
        (b"ext_id;name\nC1;1.5\n", 'set delimiter = ";"'),
        (b"ext_id\tname\nC1\t1.5\n", 'set delimiter = "\\t"'),
        (b'ext_id,name\nC1,"open\nC2,b\n', 'line 2 of x.csv opens a quote (") that is never'),
        (b'ext_id,name\nC1,"a" b\nC2,b\n', "line 2 of x.csv has text after a closing quote"),
        (b'ext_id,name\nC1,"a\nb" b\nC2,b\n', "the row on lines 2 to 3 of x.csv has text after"),
        (b"ext_id,name\nC1,Ren\xe9\n", "line 2 of x.csv is not UTF-8 (byte 0xE9). Save it as"),
        ("ext_id,name\nC1,a\n".encode("utf-16"), "byte order mark of UTF-16"),
        ("ext_id,name\nC1,a\n".encode("utf-32"), "byte order mark of UTF-32"),
        ("ext_id,name\nC1,a\n".encode("utf-16-le"), "bytes of zero, as UTF-16 has them"),
        ("ext_id,name\nC1,a\n".encode("utf-16-be"), "bytes of zero, as UTF-16 has them"),
    ],
)
def test_what_is_no_such_file_is_refused_as_a_whole(
    database: Database, tmp_path: Path, content: bytes, sentence: str
) -> None:
    (tmp_path / "x.csv").write_bytes(content)
    text = complaint(database, tmp_path, "x.csv")
    assert sentence in text
    assert "x.csv" in text or "delimiter" in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("encoding", "written"),
    [
        ("cp1252", "cp1252"),
        ("latin-1", "iso8859-1"),
        ("utf-16", "utf-16"),
        ("utf-16-le", "utf-16-le"),
        ("UTF8", "utf-8-sig"),
    ],
)
def test_the_encoding_of_the_settings_is_used(
    database: Database, tmp_path: Path, encoding: str, written: str
) -> None:
    (tmp_path / "x.csv").write_bytes("ext_id;name\nC1;René\n".encode(written))
    plan = plan_of(database, tmp_path, "x.csv", encoding=encoding, delimiter=";")
    assert [row.body for row in plan.rows] == [{"number": "C1", "name": "René"}]


def test_a_wrong_encoding_names_the_right_one(database: Database, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes("ext_id,name\nC1,é\n".encode("utf-8-sig"))
    assert "encoding = 'utf-8'" in complaint(database, tmp_path, "x.csv", encoding="cp1252")


@pytest.mark.parametrize("options", [{"encoding": "utf-9"}, {"encoding": "base64"},
                                     {"delimiter": '"'}, {"delimiter": "\n"}])  # fmt: skip
def test_wrong_dialects_are_refused_with_the_settings(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"there is no encoding|it cannot be a quote"):
        WritebackSettings(name="a", operation="create_task", source="a.csv", key="a", **options)


@pytest.mark.parametrize("rows", ["X1,a\n,\n,,,\n \n\nX2,b\n,\n"])
def test_blank_rows_are_skipped_and_counted(database: Database, tmp_path: Path, rows: str) -> None:
    (tmp_path / "blanks.csv").write_text(f"ext_id,name\n{rows}", encoding="utf-8")
    plan = plan_of(database, tmp_path, "blanks.csv")
    assert [row.record_key for row in plan.rows] == ["X1", "X2"]
    assert "5 blank rows of blanks.csv were skipped." in plan.notes


@pytest.mark.parametrize(
    "source",
    ["x.xlsx", "exports/x.xls", "x.ods", "x.json", "x.tsv", "x.txt", "x.csv.gz", "X.XLSX",
     "my file.xlsx", "x.feather", "x.unheard"],
)  # fmt: skip
@pytest.mark.parametrize("exists", [True, False])
def test_other_files_are_refused_by_name(
    database: Database, tmp_path: Path, source: str, *, exists: bool
) -> None:
    if exists:
        (tmp_path / source).parent.mkdir(exist_ok=True)
        (tmp_path / source).write_text("ext_id,name\nC1,a\n", encoding="utf-8")
    elif source == "x.unheard":
        return
    text = complaint(database, tmp_path, source)
    assert f"{source} is a kind of file that is not supported. Save it as CSV UTF-8" in text


@pytest.mark.parametrize(
    "query",
    [
        "select * from 'x.xlsx'",
        "select * from read_xlsx('x.xlsx')",
        "select * from 'https://127.0.0.1:1/x.csv'",
        "select * from read_parquet('s3://bucket/x.parquet')",
    ],
)
def test_nothing_is_downloaded_for_a_query(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, query: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    text = complaint(database, tmp_path, query)
    assert "nothing is downloaded to read a source" in text
    assert not (tmp_path / ".duckdb").exists()


def test_a_parquet_file_has_the_columns_of_the_file(database: Database, tmp_path: Path) -> None:
    folder = tmp_path / "exports" / "year=2026"
    folder.mkdir(parents=True)
    path = folder / "it's [1]?.parquet"
    duckdb.sql(
        "copy (select 'C1' as ext_id, 'a' as name, 7 as file_row_number, 'f' as filename, "
        "1000000000000000.01::decimal(38, 10) as credit_limit) "
        f"to '{tmp_path / 'x.parquet'}'"
    )
    path.write_bytes((tmp_path / "x.parquet").read_bytes())
    found = select_file(path, {"more": "file_row_number + 1"}, Dialect())
    assert found.columns == (
        "ext_id", "name", "file_row_number", "filename", "credit_limit", "more",
    )  # fmt: skip
    assert found.rows == [("C1", "a", 7, "f", Decimal("1000000000000000.01"), 8)]
    path.write_bytes(b"no parquet")
    assert "cannot be read as Parquet" in complaint(database, folder, path.name)


def test_a_csv_below_a_partitioned_folder_has_no_column_of_the_path(
    database: Database, tmp_path: Path
) -> None:
    folder = tmp_path / "exports" / "year=2026"
    folder.mkdir(parents=True)
    (folder / "x.csv").write_text("ext_id,name\nC1,a\n", encoding="utf-8")
    plan = plan_of(database, tmp_path, "exports/year=2026/x.csv")
    assert [row.body for row in plan.rows] == [{"number": "C1", "name": "a"}]


LINES = ['["C2"]', "7", '"x"', "null", "true", "{", '{"ext_id": NaN}', "x" * 9, "[" * 5000,
         '{"ext_id": "\\ud800"}', '{"a": 1, "a": 2}', '{"ext_id": "C2"} {}']  # fmt: skip


@pytest.mark.parametrize("line", LINES)
def test_a_line_that_is_not_an_object_makes_only_its_row_invalid(
    database: Database, tmp_path: Path, line: str
) -> None:
    good = ['{"ext_id":"C1","name":"Alpha"}', '{"name":"Gamma","ext_id":"C3","credit_limit":1.10}']
    text = "\n".join(["\ufeff" + good[0], "", line, good[1], ""])
    (tmp_path / "x.ndjson").write_text(text, encoding="utf-8")
    mapping = {"number": "ext_id", "notes": {"sql": "credit_limit || name"}}
    plan = plan_of(database, tmp_path, "x.ndjson", mapping=mapping)
    first, bad, last = plan.rows
    assert (first.action, first.body) == ("create", {"number": "C1", "name": "Alpha"})
    assert last.body == {
        "number": "C3", "name": "Gamma", "credit_limit": Decimal("1.10"), "notes": "1.10Gamma",
    }  # fmt: skip
    assert (bad.record_key, bad.action) == ("line 3", "invalid")
    assert bad.reason is not None
    assert bad.reason.startswith("line 3 of x.ndjson ")
    assert "1 blank row of x.ndjson was skipped." in plan.notes


@pytest.mark.parametrize("text", ['[\n{"ext_id": 1},\n{"a": 2}\n]\n', "[{}]", "x\ny\n"])
def test_a_file_without_usable_objects_is_refused(
    database: Database, tmp_path: Path, text: str
) -> None:
    (tmp_path / "x.ndjson").write_text(text, encoding="utf-8")
    assert "line 1 of x.ndjson" in complaint(database, tmp_path, "x.ndjson")


@pytest.mark.parametrize("ending", ["csv", "ndjson"])
def test_expressions_see_text_and_a_failing_one_names_its_value(
    database: Database, tmp_path: Path, ending: str
) -> None:
    rows = [("C1", "0012"), ("C2", "7"), ("C3", "abc")]
    lines = [f'{{"ext_id": "{key}", "lim": "{value}"}}' for key, value in rows]
    if ending == "csv":
        lines = ["ext_id,lim", *map(",".join, rows)]
    (tmp_path / f"x.{ending}").write_text("\n".join(lines), encoding="utf-8")
    options: dict[str, Any] = {"exclude": ["lim"]}
    mapping: dict[str, Any] = {"number": "ext_id", "name": {"sql": "lim"}}
    mapping |= {"credit_limit": {"sql": "try_cast(lim as int) * 2"}}
    plan = plan_of(database, tmp_path, f"x.{ending}", mapping=mapping, **options)
    assert [(row.body or {}).get("name") for row in plan.rows] == ["0012", "7", "abc"]
    mapping["credit_limit"] = {"sql": "cast(lim as decimal)"}
    text = complaint(database, tmp_path, f"x.{ending}", mapping=mapping, **options)
    line = 4 if ending == "csv" else 3
    assert f"mapping.credit_limit: `cast(lim as decimal)` fails in line {line}: " in text
    assert '"abc"' in text
    assert "\n" not in text


def test_a_failing_expression_hides_a_card_number(database: Database, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("ext_id,a\nC1,4242 4242 4242 4242\n", encoding="utf-8")
    text = complaint(
        database, tmp_path, "x.csv", mapping={"name": {"sql": "a::int"}}, exclude=["a"]
    )
    assert "4242" not in text


@pytest.mark.parametrize("word", ["values", "table", "from", "with", "select"])
def test_a_file_may_be_called_like_a_keyword(database: Database, tmp_path: Path, word: str) -> None:
    (tmp_path / f"{word}.csv").write_text("ext_id,name\nC1,a\n", encoding="utf-8")
    assert len(plan_of(database, tmp_path, f"{word}.csv").rows) == 1


@pytest.mark.parametrize(
    ("source", "sentence"),
    [
        ('"crm.csv"', "write it without the inner quotes"),
        ("x" * 5000 + ".csv", "is no file: File name too long"),
        ("x y" * 5000, "is not a table, a SELECT, or a .csv"),
        ("folder.csv", "is a folder"),
        ("none.csv", "there is no file"),
        ('"json"', "Table with name json does not exist"),
    ],
)
def test_sources_that_do_not_exist(
    database: Database, tmp_path: Path, source: str, sentence: str
) -> None:
    (tmp_path / "folder.csv").mkdir()
    assert sentence in complaint(database, tmp_path, source)


def test_an_empty_file_of_rows_has_expressions(database: Database, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("ext_id,a\n", encoding="utf-8")
    found = read_source(
        WritebackSettings(
            name="a",
            operation="create_customer",
            source="x.csv",
            key="ext_id",
            mapping={"name": {"sql": "upper(a)"}},  # pyright: ignore[reportArgumentType]
        ),
        database,
        "invoiced",
        tmp_path,
    )
    assert found.rows == []
