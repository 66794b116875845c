"""Where files belong: relative paths, `.env`, the warehouse's name, and where 0.1.0 kept it."""

import json
import subprocess
from pathlib import Path

import duckdb
import pytest

from invoiced_pipeline.commands.move import move
from invoiced_pipeline.defs.launch.instance import open_instance
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import Settings, load_settings
from invoiced_pipeline.writeback.source.source_reader import read_source
from invoiced_pipeline_tests.front_door import front_door, invoiced_account
from invoiced_pipeline_tests.warehouses import opened

SOURCES = """
[[writeback]]
name = "of_file"
operation = "create_customer"
source = "rows.csv"
key = "id"
[[writeback]]
name = "of_query"
operation = "create_customer"
source = "select * from read_csv('rows.csv')"
key = "id"
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A folder with settings, which is not the working directory."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "invoiced.toml").write_text(SOURCES)
    return folder


@pytest.fixture
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory."""
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def settings_of(directory: Path, project: Path, **environment: str) -> Settings:
    return load_settings(
        {"INVOICED_CONFIG": str(project / "invoiced.toml"), **environment}, directory
    )


def refusal(directory: Path, **environment: str) -> str:
    with pytest.raises(ConfigurationError) as caught:
        load_settings(environment, directory)
    return str(caught.value)


def touch(file: Path) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.touch()
    return file


def test_paths_belong_to_the_settings_files_folder(directory: Path, project: Path) -> None:
    assert settings_of(directory, project).warehouse.path == project / "data" / "warehouse.duckdb"
    with_variable = settings_of(directory, project, INVOICED_DUCKDB_PATH="x/y.duckdb")
    assert with_variable.warehouse.path == project / "x" / "y.duckdb"
    relative = load_settings({"INVOICED_CONFIG": "../project/invoiced.toml"}, directory)
    assert relative.file == project / "invoiced.toml"
    assert relative.warehouse.path == project / "data" / "warehouse.duckdb"
    absolute = settings_of(directory, project, INVOICED_DUCKDB_PATH="/srv/y.duckdb")
    assert absolute.warehouse.path == Path("/srv/y.duckdb")


def test_without_a_settings_file_they_belong_to_the_working_directory(directory: Path) -> None:
    settings = load_settings({})
    assert settings.file is None
    assert settings.warehouse.path == directory / "data" / "warehouse.duckdb"


@pytest.mark.duckdb("a server reads no file")
@pytest.mark.parametrize("name", ["of_file", "of_query"])
def test_a_source_is_read_from_the_settings_files_folder(
    directory: Path, project: Path, name: str
) -> None:
    (project / "rows.csv").write_text("id\nright\n")
    (directory / "rows.csv").write_text("id\nwrong\n")
    settings = settings_of(directory, project)
    database = opened({"INVOICED_CONFIG": str(project / "invoiced.toml")}, directory)
    found = read_source(settings.find_writeback(name), database, "invoiced", settings.folder)
    assert found.rows == [("right",)]
    assert Path.cwd() == directory


def test_dotenv_beside_the_settings_comes_first(directory: Path, project: Path) -> None:
    (directory / ".env").write_text("INVOICED_API_KEY=of_directory\nINVOICED_DATASET=other\n")
    (project / ".env").write_text("INVOICED_API_KEY=of_project\n")

    def key(settings: Settings) -> str:
        return settings.api_key(settings.first).get_secret_value()

    assert key(settings_of(directory, project)) == "of_project"
    assert settings_of(directory, project).first.dataset == "invoiced"
    # Dagster reads the working directory's file into the environment of its processes.
    injected = {"INVOICED_API_KEY": "of_directory", "INVOICED_DATASET": "other"}
    assert key(settings_of(directory, project, **injected)) == "of_project"
    assert settings_of(directory, project, **injected).first.dataset == "invoiced"
    assert key(settings_of(directory, project, INVOICED_API_KEY="exported")) == "exported"
    (project / ".env").unlink()
    assert key(settings_of(directory, project)) == "of_directory"
    assert settings_of(directory, project).first.dataset == "other"


def test_dotenv_of_the_working_directory_may_name_the_settings(
    directory: Path, project: Path
) -> None:
    (directory / ".env").write_text(f"INVOICED_CONFIG={project / 'invoiced.toml'}\n")
    assert load_settings({}, directory).folder == project


@pytest.mark.parametrize(
    ("file", "dataset", "stem"),
    [
        ("data/acme.duckdb", "Acme", "acme"),
        ("ACME.v2.duckdb", "Acme", "acme"),
        ("acme_current.duckdb", "Acme", "acme_current"),
        ("data/warehouse.duckdb", "Warehouse", "warehouse"),
    ],
)
def test_new_file_is_not_called_like_a_schema(
    directory: Path, file: str, dataset: str, stem: str
) -> None:
    names = {"INVOICED_DUCKDB_PATH": file, "INVOICED_DATASET": dataset}
    text = refusal(directory, **names)
    assert text.startswith(
        f"INVOICED_DUCKDB_PATH: {directory / file} has the same name as the schema"
    )
    assert f"'{stem}'. DuckDB names a catalog after its file" in text
    suggested = text.rsplit(" ", 1)[-1]
    assert load_settings({**names, "INVOICED_DUCKDB_PATH": suggested}, directory)
    (directory / "invoiced.toml").write_text(f'[warehouse]\npath = "{file}"')
    text = refusal(directory, INVOICED_DATASET=dataset)
    assert text.startswith(f"invoiced.toml: warehouse.path: {directory / file} has the same")
    # One that is there may stay.
    touch(directory / file)
    assert load_settings(names, directory).warehouse.path == directory / file


def test_former_default_is_moved_first(directory: Path, project: Path) -> None:
    old = touch(directory / "data" / "invoiced.duckdb")
    new = directory / "data" / "warehouse.duckdb"
    assert f"\n  mv {old} {new}\n" in refusal(directory)
    assert f"mv {old} {new}" in refusal(directory, INVOICED_DUCKDB_PATH="data/warehouse.duckdb")
    # A path that 0.1.0 would have opened, too, and a server, leave no ledger behind.
    assert load_settings({"INVOICED_DUCKDB_PATH": "other.duckdb"}, directory)
    assert load_settings({"INVOICED_DUCKDB_PATH": str(old)}, directory)
    assert load_settings({"INVOICED_DESTINATION": "postgres"}, directory)
    touch(new)
    assert load_settings({}, directory).warehouse.path == new


def test_former_default_beside_the_settings_is_found_from_elsewhere(
    directory: Path, project: Path
) -> None:
    old = touch(project / "data" / "invoiced.duckdb")
    text = refusal(directory, INVOICED_CONFIG=str(project / "invoiced.toml"))
    assert f"mv {old} {project / 'data' / 'warehouse.duckdb'}" in text


@pytest.mark.parametrize("path", [None, "place of data/my file.duckdb"])
def test_former_file_of_the_working_directory_is_moved_first(
    directory: Path, project: Path, path: str | None
) -> None:
    environment = {"INVOICED_CONFIG": str(project / "invoiced.toml")}
    environment |= {"INVOICED_DUCKDB_PATH": path} if path else {}
    old = touch(directory / (path or "data/invoiced.duckdb"))
    for ending in (".wal", ".acme.start_date"):
        touch(old.with_name(old.name + ending))
    touch(old.with_name("of others.start_date"))
    text = refusal(directory, **environment)
    assert f"kept it: {old}. This version opens {project}" in text
    commands = [line.strip() for line in text.splitlines() if line.startswith("  ")]
    subprocess.run(["/bin/sh", "-e", "-c", "\n".join(commands)], check=True)  # noqa: S603
    new = load_settings(environment, directory).warehouse.path
    assert sorted(each.name for each in new.parent.iterdir()) == [
        new.name + ending for ending in ("", ".acme.start_date", ".wal")
    ]
    assert [each.name for each in old.parent.iterdir()] == ["of others.start_date"]


def test_pinned_start_date_of_a_server_is_moved_first(directory: Path, project: Path) -> None:
    environment = {
        "INVOICED_CONFIG": str(project / "invoiced.toml"),
        "INVOICED_DESTINATION": "postgres",
    }
    old = touch(directory / "data" / "postgres.invoiced.start_date")
    new = project / "data" / old.name
    assert f"\n  mkdir -p {new.parent}\n  mv {old} {new}" in refusal(directory, **environment)
    assert load_settings({**environment, "INVOICED_DATASET": "other"}, directory)
    assert load_settings({**environment, "INVOICED_START_DATE": "2025-01-31"}, directory)
    touch(new)
    assert load_settings(environment, directory)


def test_a_move_to_a_server_names_the_former_file(
    directory: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = touch(project / "data" / "invoiced.duckdb")
    monkeypatch.setenv("INVOICED_CONFIG", str(project / "invoiced.toml"))
    monkeypatch.setenv("INVOICED_DESTINATION", "postgres")
    with pytest.raises(ConfigurationError, match=f"invoiced-pipeline move --from {old}"):
        move()


def test_a_home_of_dagster_that_was_moved_is_not_made_again(
    directory: Path, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    (project / ".env").write_text(f"DAGSTER_HOME={directory / 'data' / 'dagster'}\n")
    with pytest.raises(ConfigurationError, match=r"DAGSTER_HOME in .env is .* does not exist"):
        open_instance(settings_of(directory, project))
    assert not list(directory.iterdir())


@pytest.mark.duckdb("about the file's name")
def test_views_across_schemas_outlive_their_session(tmp_path: Path) -> None:
    with invoiced_account(customers=3) as account, front_door(tmp_path, account) as door:
        said = door.sync("--select", "customers,invoices").err
        # Nobody gave a settings file: it says where the warehouse comes to be.
        assert f"Settings: no invoiced.toml in {tmp_path}: relative paths begin there" in said
        assert f"Creating the warehouse {door.warehouse}" in said
        with duckdb.connect(str(door.warehouse)) as first:
            first.execute("create schema marts")
            first.execute("create view marts.a as select id, balance from invoiced.invoices")
            first.execute(
                "create view marts.b as select a.id, c.name from marts.a "
                "join invoiced.invoices i on i.id = a.id "
                "left join invoiced.customers c on c.id = i.customer"
            )
        count = "select (select count(*) from {0}marts.a), (select count(*) from {0}marts.b)"
        with duckdb.connect(str(door.warehouse), read_only=True) as second:
            rows = second.execute("select count(*) from invoiced.invoices").fetchone()
            assert rows is not None
            assert rows[0] > 0
            assert second.execute(count.format("")).fetchone() == (*rows, *rows)
            assert second.execute("from invoiced._sync_status").fetchall()
        with duckdb.connect() as other:
            other.execute(f"attach '{door.warehouse}' as acme (read_only)")
            assert other.execute(count.format("acme.")).fetchone() == (*rows, *rows)
            assert other.execute("from acme.invoiced._sync_status").fetchall()
            assert other.execute("from acme.invoiced._sync_freshness").fetchall()
            assert other.execute("from acme.invoiced._sync_usage").fetchall()

        # A run may write the file with the views in it, and names all places in full.
        again = door.sync("--select", "customers", "--json")
        assert f"Warehouse: {door.warehouse}" in again.err
        assert json.loads(again.out)["error"] is None
        (status,) = json.loads(door.run("invoiced-pipeline", "status", "--json").out)
        assert (status["settings_file"], status["warehouse"]) == (None, str(door.warehouse))


@pytest.mark.duckdb("about the file's name")
def test_existing_file_with_a_schemas_name_is_warned_about(tmp_path: Path) -> None:
    with invoiced_account(customers=1) as account, front_door(tmp_path, account) as door:
        file = tmp_path / "invoiced.duckdb"
        duckdb.connect(str(file)).close()
        door.environment["INVOICED_DUCKDB_PATH"] = file.name
        said = f"{file} has the same name as the schema 'invoiced'"
        assert said in door.run("invoiced-pipeline", "check").out
        assert said in door.sync("--select", "plans").err
