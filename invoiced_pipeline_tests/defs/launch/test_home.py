"""Dagster's home: the user's folder, or one that the project creates."""

from pathlib import Path

import pytest

from invoiced_pipeline.defs.launch.home import DAGSTER_YAML, DagsterHome, dagster_home
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import load_settings

ALONE = "environment = false\n"
OWN = '[dagster]\nhome = "own"\n'


@pytest.mark.parametrize(
    ("settings", "files", "variable", "folder", "is_own"),
    [
        ("", {}, None, "data/dagster", True),
        ("", {"dagster.yaml": ""}, None, "", False),
        ("", {"dagster.yaml": ""}, "given", "given", False),
        ("", {"dagster.yaml": "", ".env": "DAGSTER_HOME={0}/dotenv\n"}, None, "dotenv", True),
        (OWN, {".env": "DAGSTER_HOME={0}/dotenv\n"}, None, "dotenv", True),
        ("", {".env": "DAGSTER_HOME={0}/dotenv\n"}, "given", "given", False),
        (OWN, {"dagster.yaml": ""}, None, "own", True),
        (OWN, {}, "given", "given", False),
        (ALONE + OWN, {".env": "DAGSTER_HOME={0}/dotenv\n"}, "given", "own", True),
    ],
    ids=[
        "nothing", "dagster.yaml", "variable", ".env", ".env over setting", "variable over .env",
        "setting", "variable over setting", "demo",
    ],
)  # fmt: skip
def test_the_home_of_settings(  # noqa: PLR0917 - parameters of the test
    settings: str,
    files: dict[str, str],
    variable: str | None,
    folder: str,
    is_own: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DAGSTER_HOME", raising=False)
    if variable:
        monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / variable))
    for name, text in {**files, "invoiced.toml": settings}.items():
        (tmp_path / name).write_text(text.format(tmp_path))
    home = dagster_home(load_settings({}))
    assert (home.folder, home.is_own) == (tmp_path / folder, is_own)


def test_the_projects_folder_is_created_once_and_edits_stay(tmp_path: Path) -> None:
    home = DagsterHome(tmp_path / "demo" / "dagster", is_own=True)
    home.prepare()
    path = home.folder / "dagster.yaml"
    assert path.read_text() == DAGSTER_YAML
    path.write_text("telemetry: {enabled: false}\n")
    home.prepare()
    assert path.read_text() == "telemetry: {enabled: false}\n"


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    for folder in (tmp_path / "missing", Path("relative")):
        with pytest.raises(ConfigurationError, match=f"DAGSTER_HOME is {folder}: .* Create the"):
            DagsterHome(folder, is_own=False).prepare()
    assert not (tmp_path / "missing").exists()
