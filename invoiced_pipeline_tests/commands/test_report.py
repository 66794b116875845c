"""`invoiced-pipeline report`: where the file is, and what it says when it cannot be made."""

from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from invoiced_pipeline.cli import app
from invoiced_pipeline.commands import report as command
from invoiced_pipeline.exceptions import ConfigurationError, WarehouseBusyError, WarehouseError
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline_tests.front_door import DEADLINE
from invoiced_pipeline_tests.report.made_up import log_runs
from invoiced_pipeline_tests.warehouse.test_busy_file import held, let_go_when_waited_for

pytestmark = pytest.mark.duckdb("the file of the warehouse is missing, or held")

Report = Callable[..., str]


@pytest.fixture
def report(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Report:
    """The command's output, in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> str:
        ended = CliRunner().invoke(app, ["report", *arguments], catch_exceptions=False)
        assert ended.exit_code == 0, ended.output
        return ended.stdout

    return run


def test_it_names_the_file(report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(WarehouseError, match="To fill it: invoiced-pipeline sync"):
        report()
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "data").mkdir()
    log_runs(DuckDbDatabase(tmp_path / "data" / "warehouse.duckdb"))

    # Pictures are tested elsewhere, and take seconds.
    monkeypatch.setattr("invoiced_pipeline.report.images.svg", lambda _: "")
    path = tmp_path / "data" / "report.html"
    assert report() == f"The report is {path}\n"
    assert "<h1>Invoiced: receivables and pipeline</h1>" in path.read_text(encoding="utf-8")

    shown: list[str] = []
    monkeypatch.setattr("webbrowser.open", shown.append)
    other = tmp_path / "new" / "folder" / "ar.html"
    assert report("--output", "new/folder/ar.html", "--open") == f"The report is {other}\n"
    assert shown == [other.as_uri()]
    with pytest.raises(ConfigurationError, match=r"Cannot write the report to .*\.duckdb/r\.html"):
        report("--output", "data/warehouse.duckdb/r.html")

    (tmp_path / "invoiced.toml").write_text("[[connection]]\n[[connection]]\nname = 'Acme'\n")
    assert report() == f"The report is {tmp_path / 'data' / 'invoiced_report.html'}\n"
    with pytest.raises(WarehouseError, match="holds no runs of acme yet"):
        report("--connection", "Acme")


def test_it_waits_while_a_run_writes(
    report: Report, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("invoiced_pipeline.report.images.svg", lambda _: "")
    (tmp_path / "data").mkdir()
    file = tmp_path / "data" / "warehouse.duckdb"
    log_runs(DuckDbDatabase(file))
    with held(file, "writing") as process:
        with pytest.raises(WarehouseBusyError, match=r"Another program has .* open"):
            report()
        monkeypatch.setattr("invoiced_pipeline.warehouse.duckdb.connection.WAIT_SECONDS", DEADLINE)
        with let_go_when_waited_for(process) as messages:
            assert report() == f"The report is {tmp_path / 'data' / 'report.html'}\n"
    assert messages[0].startswith(f"Another program has {file} open; waiting")


def test_without_its_libraries_it_says_what_to_install(
    report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "find_spec", lambda _: None)
    with pytest.raises(ConfigurationError, match=r"pip install 'invoiced-pipeline\[models\]'"):
        report()
