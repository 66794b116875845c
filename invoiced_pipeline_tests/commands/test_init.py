"""`invoiced-pipeline init`: a project folder that the other commands use."""

import json
import os
import pty
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from typer.testing import CliRunner

from invoiced_pipeline.cli import app
from invoiced_pipeline.commands.init_files import DAGSTER_HOME, settings_file
from invoiced_pipeline.defs.launch.home import DAGSTER_YAML
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import ConnectionSettings, Settings, load_settings
from invoiced_pipeline_tests.front_door import KEY, REPOSITORY, front_door, invoiced_account

FILES = [".env", ".gitignore", "data", "invoiced.toml", "workspace.yaml"]


def init(*arguments: str, key: str = "") -> str:
    """The output of the command, run without a terminal."""
    result = CliRunner().invoke(app, ["init", *arguments], env={"INVOICED_API_KEY": key})
    if isinstance(result.exception, ConfigurationError):
        raise result.exception
    assert result.exit_code == 0, result.output
    assert key == "" or key not in result.output
    return result.output


def test_options_answer_every_question(tmp_path: Path) -> None:
    folder = tmp_path / "a new" / "place"
    output = init(
        *(str(folder), "--name", 'Acme "Europe"', "--start-date", "01/31/2025"),
        *("--frequency", "6h", "--sandbox"),
        key=KEY,
    )
    assert sorted(path.name for path in folder.iterdir()) == FILES
    settings = load_settings({}, folder)
    first = settings.first
    assert (first.name, first.dataset, first.sandbox) == ('Acme "Europe"', "acme_europe", True)
    assert f"{first.start_date:%Y-%m-%d}" == "2025-01-31"
    assert first.schedule.frequency is not None
    assert first.schedule.frequency.total_seconds() == 6 * 3600
    assert settings.api_key(first).get_secret_value() == KEY
    assert settings.dagster_home == str(folder / DAGSTER_HOME)
    assert settings.warehouse.path == folder / "data" / "warehouse.duckdb"
    # The key is in one file, which only its owner can read and git ignores.
    assert stat.S_IMODE((folder / ".env").stat().st_mode) == 0o600
    assert [path.name for path in folder.rglob("*") if path.is_file() and KEY in path.read_text()] \
        == [".env"]  # fmt: skip
    assert {".env", "data/"} <= set((folder / ".gitignore").read_text().splitlines())
    assert "  invoiced-pipeline ui " in output
    assert f"cd '{folder}'" in output


def test_without_options_the_defaults_apply(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert f"Put your API key into {tmp_path / '.env'}" in init()
    settings = load_settings({}, tmp_path)
    assert settings.first.model_dump(exclude={"schedule"}) == ConnectionSettings().model_dump(
        exclude={"schedule"}
    )


def test_data_may_be_in_another_folder(tmp_path: Path) -> None:
    folder, data = tmp_path / "etc", tmp_path / "var"
    init(str(folder), "--data", str(data))
    assert sorted(path.name for path in folder.iterdir()) == [
        name for name in FILES if name != "data"
    ]
    settings = load_settings({}, folder)
    assert settings.warehouse.path == data / "warehouse.duckdb"
    assert settings.dagster_home == str(data / "dagster")
    assert (data / "dagster" / "dagster.yaml").read_text() == DAGSTER_YAML


@pytest.mark.parametrize("name", ["invoiced.toml", ".env"])
def test_nothing_is_overwritten(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(ConfigurationError, match="exists already"):
        init(str(tmp_path))
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [(name, "mine")]


def test_other_files_are_kept(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("mine")
    output = init(str(tmp_path))
    assert f"kept   {tmp_path / '.gitignore'}: it should name .env and data/" in output
    assert (tmp_path / ".gitignore").read_text() == "mine"


@pytest.mark.parametrize(
    ("option", "value", "reason"),
    [
        ("--name", "12", "must begin with a letter"),
        ("--name", "main", "DuckDB reserves the schema"),
        ("--start-date", "31/01/2025", "Accepted forms: MM/DD/YYYY"),
        ("--frequency", "7m", "Accepted forms: 30m"),
        ("--api-key", "two words", "contains characters that API keys never have"),
    ],
)
def test_a_wrong_option_writes_nothing(
    tmp_path: Path, option: str, value: str, reason: str
) -> None:
    with pytest.raises(ConfigurationError, match=reason):
        init(str(tmp_path / "new"), option, value)
    assert not list(tmp_path.iterdir())


def test_a_warehouse_of_0_1_0_is_moved_first(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "invoiced.duckdb").touch()
    with pytest.raises(ConfigurationError, match="is still where version"):
        init(str(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_dataset_called_warehouse_gets_a_file_of_another_name(tmp_path: Path) -> None:
    init(str(tmp_path), "--name", "Warehouse")
    assert load_settings({}, tmp_path).warehouse.path == tmp_path / "data" / "replica.duckdb"


def test_every_commented_out_line_is_a_setting() -> None:
    text = settings_file(ConnectionSettings(), start_date="", frequency="", sandbox=False)
    on = re.sub(r"^#(?! )", "", text, flags=re.MULTILINE)
    assert on.count("\n[") > text.count("\n[")
    settings = Settings.model_validate(tomllib.loads(on))
    assert settings.writeback
    assert settings.first.sandbox


def test_dagsters_settings_are_those_of_the_repository() -> None:
    ours = yaml.safe_load((REPOSITORY / "dagster.yaml").read_text())
    own = yaml.safe_load(DAGSTER_YAML)
    for places in ("local_artifact_storage", "compute_logs"):
        del ours[places]
    for each in (ours, own):
        del each["storage"]["custom"]["config"]
    assert own == ours


def test_a_question_is_repeated_until_the_answer_is_valid(tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(  # noqa: S603 - this package's command
        [sys.executable, "-m", "invoiced_pipeline.cli", "init", str(tmp_path / "new")],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(REPOSITORY), "TERM": "dumb"},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    output = ""

    def answer(question: str, text: str) -> None:
        nonlocal output
        while question not in output:
            output += os.read(ours, 4096).decode()
        output = output.split(question, 1)[1]
        os.write(ours, text.encode() + b"\n")

    answer("names the dataset [Invoiced]: ", "Acme")
    answer("empty: later): ", KEY)
    answer("first sync): ", "tomorrow")
    answer("Accepted forms: MM/DD/YYYY", "")
    answer("30m or 1h to 24h [1h]: ", "30m")
    rest = output
    try:
        while read := os.read(ours, 4096):
            rest += read.decode()
    except OSError:  # Linux raises it when the other end is closed
        pass
    os.close(ours)
    assert process.wait() == 0, rest
    assert KEY not in rest
    first = load_settings({}, tmp_path / "new").first
    assert (first.name, first.start_date) == ("Acme", None)
    assert first.schedule.frequency is not None
    assert first.schedule.frequency.total_seconds() == 1800


def test_the_project_works(tmp_path: Path) -> None:
    """Commands and Dagster use it in its folder, and commands from another folder."""
    project = tmp_path / "my project"
    elsewhere = tmp_path / "elsewhere"
    with (
        invoiced_account(customers=1) as account,
        front_door(elsewhere, account, cold=True) as door,
    ):
        (elsewhere / "dagster.yaml").unlink()
        (elsewhere / "workspace.yaml").unlink()
        door.run("invoiced-pipeline", "init", str(project))
        del door.environment["INVOICED_API_KEY"]
        door.folder = project
        found = json.loads(door.run("invoiced-pipeline", "check", "--json").out)
        place = {each["subject"]: each["detail"] for each in found}
        assert place["settings"] == str(project / "invoiced.toml")
        door.sync("--select", "plans")
        door.materialize("--select", "invoiced/plans", "--partition", "2026-11-01")
        door.folder = elsewhere
        config = str(project / "invoiced.toml")
        output = door.run("invoiced-pipeline", "status", "--json", INVOICED_CONFIG=config).out
        (status,) = json.loads(output)
        (plans,) = [each for each in status["tables"] if each["table"] == "plans"]
        assert plans["state"] == "ok"
        assert status["settings_file"] == config
        assert not list(elsewhere.iterdir())
        assert not list(project.glob(".tmp_dagster_home_*"))
