"""Names and settings that are checked before anything runs: one test for each kind of fault."""

import codecs
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invoiced_pipeline.catalog import TABLES
from invoiced_pipeline.defs.partitions import partitions_for
from invoiced_pipeline.defs.sync.partition_range import check_partition_range
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.selection.clear_copies import clear_copies, refuse_clear_copies
from invoiced_pipeline.settings import Settings, load_settings
from invoiced_pipeline.settings.dataset_limits import DERIVED
from invoiced_pipeline.settings.environment import VARIABLES
from invoiced_pipeline_tests.front_door import FrontDoor, front_door, invoiced_account

KEY = "secret7890abcdefghijklmnop123456"
SERVER = "postgresql://loader@db.example.com/warehouse"
ACME = '[[connection]]\nname = "Acme"\n'


def settings_of(folder: Path, toml: str = "", **environment: str) -> Settings:
    (folder / "invoiced.toml").write_text(toml, encoding="utf-8")
    return load_settings(environment, folder)


def complaint(folder: Path, toml: str = "", **environment: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        settings_of(folder, toml, **environment)
    return str(caught.value)


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FrontDoor]:
    with (
        invoiced_account() as account,
        front_door(tmp_path_factory.mktemp("names"), account) as door,
    ):
        yield door


# Datasets


@pytest.mark.parametrize(("destination", "limit"), [("postgres", 55), ("duckdb", 120)])
def test_a_dataset_leaves_room_for_the_names_made_of_it(
    tmp_path: Path, destination: str, limit: int
) -> None:
    warehouse = {"INVOICED_DESTINATION": destination, "INVOICED_POSTGRES_URL": SERVER}
    longest = settings_of(tmp_path, **warehouse, INVOICED_DATASET="d" * limit)
    assert len(longest.first.dataset) == limit
    said = complaint(tmp_path, **warehouse, INVOICED_DATASET="d" * (limit + 1))
    assert f"has {limit + 1} bytes; the limit is {limit}" in said
    assert "d" * (limit + 1) in said


def test_no_table_or_column_of_the_catalog_is_too_long_for_postgresql() -> None:
    children = [table.child_name(child) for table in TABLES for child in table.children]
    names = [f"{name}__history" for name in (*(table.name for table in TABLES), *children)]
    names += [column.name for table in TABLES for column in table.columns]
    assert max(map(len, names)) <= 63


@pytest.mark.parametrize(
    ("destination", "name"),
    [
        ("postgres", "pg_catalog"),
        ("postgres", "PG Toast"),
        ("postgres", "Information Schema"),
        ("duckdb", "information_schema"),
        ("duckdb", "pg_catalog"),
        ("duckdb", "main"),
        ("duckdb", "Temp"),
        ("duckdb", "system"),
    ],
)
def test_a_reserved_schema_is_refused(tmp_path: Path, destination: str, name: str) -> None:
    toml = f'[warehouse]\ndestination = "{destination}"\n[[connection]]\nname = "{name}"'
    said = complaint(tmp_path, toml)
    assert f"connection {name!r}: name: " in said
    assert "reserves the schema" in said


@pytest.mark.parametrize("ending", DERIVED)
def test_a_dataset_is_not_a_schema_beside_another(tmp_path: Path, ending: str) -> None:
    said = complaint(tmp_path, f'{ACME}[[connection]]\nname = "acme{ending}"\n')
    assert f"connection 'acme{ending}': name: its dataset" in said


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ("acme", "is a schema of connection 'Acme'"),
        ("acme_current", "is a schema of connection 'Acme'"),
        ("other", "is a schema of connection 'Other'"),
        ("stitch_other", "is a schema of connection 'Other'"),
        ("pg_catalog", "reserves the schema"),
        ("main", "reserves the schema"),
        ("Stitch Acme", "is not a schema's name"),
        ("s" * 64, "is not a schema's name"),
    ],
)
def test_a_schema_for_stitchs_names_belongs_to_nothing_else(
    tmp_path: Path, schema: str, reason: str
) -> None:
    other = '[[connection]]\nname = "Other"\nstitch_schema = "stitch_other"\n'
    said = complaint(tmp_path, f'{ACME}stitch_schema = "{schema}"\n{other}')
    assert "stitch_schema" in said
    assert reason in said
    free = settings_of(tmp_path, f'{ACME}stitch_schema = "stitch_acme"\n{other}')
    assert free.first.stitch_schema == "stitch_acme"


def test_a_new_file_is_not_named_like_a_schema_for_stitchs_names(tmp_path: Path) -> None:
    toml = f'{ACME}stitch_schema = "stitch_acme"\n[warehouse]\npath = "stitch_acme.duckdb"'
    assert "has the same name as the schema 'stitch_acme'" in complaint(tmp_path, toml)


@pytest.mark.parametrize("command", ["check", "sync"])
def test_commands_refuse_a_name_in_one_sentence(door: FrontDoor, command: str) -> None:
    ended = door.run("invoiced-pipeline", command, status=1, INVOICED_DATASET="d" * 300)
    assert "has 300 bytes; the limit is" in ended.err
    assert len(ended.said.splitlines()) == 1


# Variables


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("INVOICED_STARTDATE", "INVOICED_START_DATE"),
        ("INVOICED_APIKEY", "INVOICED_API_KEY"),
        ("INVOICED_KEY", "INVOICED_API_KEY"),
        ("INVOICED_SANBOX", "INVOICED_SANDBOX"),
        ("INVOICED_DUCKDB", "INVOICED_DUCKDB_PATH"),
        ("INVOICED_SCHEDULE_FREQENCY", "INVOICED_SCHEDULE_FREQUENCY"),
        ("INVOICED_POSTGRES_PASSWD", "INVOICED_POSTGRES_PASSWORD"),
        ("INVOICED_HASHSALT", "INVOICED_HASH_SALT"),
        ("INVOICED_CONFG", "INVOICED_CONFIG"),
        ("INVOICED_PORTITIONS", "INVOICED_PARTITIONS"),
        ("invoiced_start_date", "INVOICED_START_DATE"),
    ],
)
@pytest.mark.parametrize("place", ["environment", ".env"])
def test_an_unknown_variable_is_refused_with_the_closest(
    tmp_path: Path, name: str, meant: str, place: str
) -> None:
    environment = {name: KEY} if place == "environment" else {}
    if place == ".env":
        (tmp_path / ".env").write_text(f"{name}={KEY}\n")
    said = complaint(tmp_path, **environment)
    prefix = ".env: " if place == ".env" else ""
    assert said.startswith(f"{prefix}{name}: unknown variable; did you mean {meant}?")
    assert KEY not in said


@given(st.sampled_from(sorted(VARIABLES)), st.data())
def test_one_letter_less_is_never_ignored(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(len("INVOICED_"), len(name) - 1))
    typo = name[:at] + name[at + 1 :]
    with pytest.raises(ConfigurationError, match="did you mean INVOICED_"):
        load_settings({typo: "x"}, Path("/nonexistent"))


@pytest.mark.parametrize(
    "name",
    [
        "INVOICED_SERVICE_HOST",
        "INVOICED_SERVICE_PORT",
        "INVOICED_SERVICE_PORT_HTTP",
        "INVOICED_PIPELINE_PORT",
        "INVOICED_PORT_8085_TCP",
        "INVOICED_PORT_8085_TCP_ADDR",
        "INVOICED_EU_KEY",
        "INVOICED_EU_SALT",
        "INVOICED_HASH_SALT",
        "INVOICED_POSTGRES_PASSWORD",
        "INVOICED_WAREHOUSE_PASSWORD",
        "ACME_STARTDATE",
    ],
)
def test_a_variable_that_something_reads_is_known(tmp_path: Path, name: str) -> None:
    toml = f"""{ACME}api_key_env = "INVOICED_EU_KEY"\nhash_salt_env = "INVOICED_EU_SALT"
        [warehouse.credentials]
        host = "h"
        database = "d"
        username = "u"
        password_env = "INVOICED_WAREHOUSE_PASSWORD"
    """
    assert settings_of(tmp_path, toml, **{name: "x"}).first.name == "Acme"


def test_no_variable_is_checked_without_the_environment(tmp_path: Path) -> None:
    assert settings_of(tmp_path, "environment = false", INVOICED_STARTDATE="x")


@pytest.mark.parametrize("command", ["check", "sync", "status"])
def test_commands_refuse_an_unknown_variable_in_one_sentence(door: FrontDoor, command: str) -> None:
    ended = door.run("invoiced-pipeline", command, status=1, INVOICED_STARTDATE="01/01/2026")
    assert ended.said.splitlines() == [
        "INVOICED_STARTDATE: unknown variable; did you mean INVOICED_START_DATE? "
        "Correct the name, or remove the variable"
    ]


# Names in the file


@pytest.mark.parametrize(
    ("toml", "place", "meant"),
    [
        ("[[conection]]\nname = 'x'", "conection:", "connection"),
        (f"{ACME}start_dat = 2025-01-01", "connection 'Acme': start_dat:", "start_date"),
        (f"{ACME}[connection.schedule]\nfrequncy = '1h'", "'Acme': schedule.fr", "frequency"),
        (f"{ACME}[connection.tables.plans]\nexclud = ['x']", "'Acme': tables.plans", "exclude"),
        (f"{ACME}partitions = 'montly'", "connection 'Acme': partitions", "monthly"),
        ("[warehouse]\ndestinaton = 'duckdb'", "warehouse.destinaton:", "destination"),
        ("[[writeback]]\nname = 'w'\nsorce = 'x'", "writeback 'w': sorce:", "source"),
        ("[[writeback]]\nname = 'w'\noperation = 'create_invioce'", "'w': oper", "create_invoice"),
    ],
)
def test_an_unknown_name_is_reported_with_its_owner_and_the_closest(
    tmp_path: Path, toml: str, place: str, meant: str
) -> None:
    said = complaint(tmp_path, toml)
    assert place in said
    assert f"Did you mean {meant}?" in said
    assert "connection.0" not in said
    assert "writeback.0" not in said


@pytest.mark.parametrize(
    ("tables", "meant"),
    [
        ("include = ['custmers']", "customers"),
        ("exclude = ['invoice__items']", "invoices__items"),
        ("customers.hash = ['e_mail']", "email"),
        ("custmers.hash = ['email']", "customers"),
    ],
)
def test_an_unknown_table_or_column_is_reported_with_the_closest(
    tmp_path: Path, tables: str, meant: str
) -> None:
    settings = settings_of(tmp_path, f"{ACME}[connection.tables]\n{tables}")
    with pytest.raises(ConfigurationError, match=f"Did you mean {meant}\\?") as caught:
        refuse_clear_copies(settings)
    assert str(caught.value).startswith("invoiced.toml: connection 'Acme': tables")


# Encodings


ENCODINGS = {
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "utf-32": "UTF-32",
    "cp1252": "Windows-1252",
}


@pytest.mark.parametrize("name", [".env", "invoiced.toml"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_another_encoding_than_utf8_is_one_sentence(
    tmp_path: Path, name: str, encoding: str
) -> None:
    text = f"# one\n# Müller & Söhne {KEY}\n"
    (tmp_path / name).write_bytes(text.encode(encoding))
    with pytest.raises(ConfigurationError) as caught:
        load_settings({}, tmp_path)
    said = str(caught.value)
    assert name in said
    assert ENCODINGS[encoding] in said
    assert "UTF-8" in said
    assert KEY not in said
    assert len(said.splitlines()) == 1
    assert (", line 2" in said) == (encoding == "cp1252")


def test_a_byte_order_mark_is_skipped(tmp_path: Path) -> None:
    toml = f'{ACME}description = "Müller"\n'.encode()
    (tmp_path / "invoiced.toml").write_bytes(codecs.BOM_UTF8 + toml)
    (tmp_path / ".env").write_bytes(codecs.BOM_UTF8 + b"INVOICED_PARTITIONS=daily\n")
    first = load_settings({}, tmp_path).first
    assert (first.name, first.description, first.partitions) == ("Acme", "Müller", "daily")


@pytest.mark.parametrize("command", ["check", "sync"])
@pytest.mark.parametrize("encoding", ["utf-16", "cp1252"])
def test_commands_refuse_an_encoding_in_one_sentence(
    door: FrontDoor, command: str, encoding: str
) -> None:
    path = door.folder / ".env"
    path.write_bytes("# Müller\n".encode(encoding))
    try:
        ended = door.run("invoiced-pipeline", command, status=1)
    finally:
        path.unlink()
    assert "save " in ended.said
    assert len(ended.said.splitlines()) == 1


# Copies in clear


@pytest.mark.parametrize("how", ["hash", "drop"])
def test_what_one_connection_hides_another_does_not_replicate_in_clear(
    tmp_path: Path, how: str
) -> None:
    hiding = f'{ACME}[connection.tables.customers]\n{how} = ["email"]\n'
    open_one = '[[connection]]\nname = "Beta"\n'
    settings = settings_of(tmp_path, hiding + open_one)
    assert clear_copies(settings, settings.first) is None
    with pytest.raises(
        ConfigurationError, match=r"'Beta' replicates columns in clear .* customers\.email"
    ):
        refuse_clear_copies(settings)
    for allowed in (
        "allow_clear_copy = true",
        '[connection.tables]\nexclude = ["customers"]',
        '[connection.tables.customers]\nexclude = ["email"]',
        '[connection.tables.customers]\nhash = ["email"]',
        '[connection.tables.customers]\ndrop = ["email"]',
        'api_key_env = "BETA_KEY"',
    ):
        refuse_clear_copies(settings_of(tmp_path, f"{hiding}{open_one}{allowed}\n"))


def test_one_key_in_two_variables_is_one_account(tmp_path: Path) -> None:
    toml = f'{ACME}[connection.tables.customers]\nhash = ["email"]\n[[connection]]\nname = "Beta"\n'
    toml += 'api_key_env = "BETA_KEY"'
    settings = settings_of(tmp_path, toml, INVOICED_API_KEY=KEY, BETA_KEY=KEY)
    with pytest.raises(ConfigurationError, match="to the same account") as caught:
        refuse_clear_copies(settings)
    assert KEY not in str(caught.value)
    refuse_clear_copies(settings_of(tmp_path, toml, INVOICED_API_KEY=KEY, BETA_KEY=KEY[::-1]))


@pytest.mark.parametrize("command", ["check", "sync"])
def test_commands_refuse_a_copy_in_clear(door: FrontDoor, command: str) -> None:
    url = door.environment["INVOICED_API_URL"]
    path = door.folder / "invoiced.toml"
    path.write_text(
        f'{ACME}[connection.tables.customers]\ndrop = ["email"]\n'
        f'[[connection]]\nname = "Beta"\napi_url = "{url}"\n'
    )
    try:
        ended = door.run("invoiced-pipeline", command, status=1)
    finally:
        path.unlink()
    said = " ".join(ended.said.split())
    assert "'Beta' replicates columns in clear text that connection 'Acme'" in said
    assert "Traceback" not in said


# Partitions


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("--partition-range", "2026-03-01...2026-01-01", "2026-03-01...2026-01-01 is reversed"),
        # Dagster refuses these itself, before any of our code runs.
        ("--partition", "2019-01-01", "containing the passed partition key `2019-01-01`"),
        ("--partition", "2026-01-02", "containing the passed partition key `2026-01-02`"),
        ("--partition-range", "2019-01-01...2026-01-01", "partition key `2019-01-01`"),
    ],
)
def test_partitions_that_are_no_range_of_the_grid(
    door: FrontDoor, option: str, value: str, said: str
) -> None:
    options = ("--select", "group:invoiced", option, value)
    ended = door.materialize(*options, status=1, INVOICED_START_DATE="2026-01-01")
    assert said in ended.said


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        ("2026-03-01", "2026-01-01", "The range 2026-03-01...2026-01-01 is reversed"),
        ("2019-01-01", "2026-01-01", "no partition '2019-01-01': they begin with 2026-01-01"),
        ("2026-01-01", "2999-01-01", "no partition '2999-01-01': they begin with 2026-01-01"),
        ("2026-01-02", None, "no partition '2026-01-02': they begin with 2026-01-01"),
    ],
)
def test_a_run_refuses_partitions_that_are_no_range_of_the_grid(
    first: str, last: str | None, said: str
) -> None:
    start, end = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
    tags = {"dagster/partition": first} if last is None else {start: first, end: last}
    with pytest.raises(ConfigurationError, match=re.escape(said)):
        check_partition_range(tags, partitions_for("monthly", datetime(2026, 1, 1, tzinfo=UTC)))


@pytest.mark.parametrize("tags", [{}, {"dagster/partition": "2026-01-01"}])
def test_a_run_of_one_partition_or_of_none_is_accepted(tags: dict[str, str]) -> None:
    check_partition_range(tags, partitions_for("monthly", datetime(2026, 1, 1, tzinfo=UTC)))
