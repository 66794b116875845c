"""`invoiced-pipeline schedule`, in a folder without an API key."""

import json
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from invoiced_pipeline.cli import app
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline_tests.front_door import front_door

NOON = ("--from", "2025-05-01T12:00:00Z")


@dataclass
class Command:
    """Runs the command."""

    folder: Path

    def __call__(self, *options: str) -> str:
        ended = CliRunner().invoke(app, ["schedule", *options], catch_exceptions=False)
        assert ended.exit_code == 0
        return ended.output

    def starts(self, *options: str) -> list[str]:
        return json.loads(self(*options, "--json"))

    def configure(self, *lines: str) -> None:
        text = "\n".join(["[[connection]]", "[connection.schedule]", *lines])
        (self.folder / "invoiced.toml").write_text(text, encoding="utf-8")


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "120")
    return Command(tmp_path)


def test_the_installed_command(tmp_path: Path) -> None:
    with front_door(tmp_path, cold=True) as door:
        options = ("--frequency", "6h", "--anchor", "09:00", *NOON, "--count", "2", "--json")
        said = door.run("invoiced-pipeline", "schedule", *options).out
        assert json.loads(said) == ["2025-05-01T15:00:00+00:00", "2025-05-01T21:00:00+00:00"]
        refused = door.run("invoiced-pipeline", "schedule", "--cron", "0 9 * * *", status=1)
        assert refused.err.startswith("cron = '0 9 * * *' needs a dialect: dialect = ")
        assert "Traceback" not in refused.said
        assert not [path for path in door.files() if ".duckdb" in path.name]


def test_the_settings_in_words_and_as_ten_starts(command: Command) -> None:
    command.configure('frequency = "6h"', 'anchor = "03:30"', 'timezone = "Europe/Berlin"')
    lines = command(*NOON).splitlines()
    assert lines[0] == "Every 6 hours, at 03:30, 09:30, 15:30 and 21:30 (Europe/Berlin)"
    rows = [line.split() for line in lines if line.strip().startswith(("Thu", "Fri", "Sat", "Sun"))]
    assert len(rows) == 10
    assert rows[0] == ["Thu", "2025-05-01", "13:30", "Thu", "2025-05-01", "15:30", "CEST"]
    assert rows[2] == ["Fri", "2025-05-02", "01:30", "Fri", "2025-05-02", "03:30", "CEST"]


def test_without_any_settings_every_hour(command: Command) -> None:
    assert "Every hour, at minute 0 (UTC)" in command()
    assert len(command.starts()) == 10
    assert command.starts(*NOON, "--count", "1") == ["2025-05-01T13:00:00+00:00"]


def test_options_override_the_settings(command: Command) -> None:
    command.configure('cron = "0 30 9 ? * MON-FRI"', 'dialect = "quartz"', 'timezone = "UTC"')
    one = (*NOON, "--count", "1")
    assert command.starts(*one) == ["2025-05-02T09:30:00+00:00"]
    assert command.starts(*one, "--timezone", "Europe/Berlin") == ["2025-05-02T07:30:00+00:00"]
    assert command.starts(*one, "--frequency", "30m") == ["2025-05-01T12:30:00+00:00"]
    assert command.starts(*one, "--anchor", "12:15") == ["2025-05-01T12:15:00+00:00"]
    cron = ("--cron", "0 9 * * 1", "--dialect", "unix")
    assert command.starts(*one, *cron) == ["2025-05-05T09:00:00+00:00"]
    over = ("--cron", "0 15 10 ? * 6L 2002-2005", "--dialect", "quartz")
    assert command.starts(*one, *over) == []
    assert "No more starts." in command(*one, *over)


_REFUSED = {
    ("--frequency", "1.5h"): "--frequency: '1.5h' is not a frequency. Accepted forms: 30m, or",
    ("--anchor", "nine"): "--anchor: 'nine' is not an anchor. Accepted forms: a time such as",
    ("--timezone", "Mars"): "--timezone: 'Mars' is not a time zone. Accepted forms: UTC, or",
    ("--cron", "0 0 9 * * *", "--dialect", "quartz"): "--cron: '0 0 9 * * *' is not quartz cron",
    ("--cron", "0 9 * * *", "--dialect", "vixie"): "--dialect: Input should be 'quartz' or 'unix'",
    (
        "--from",
        "tomorrow",
    ): "--from: 'tomorrow' is not an instant from 1970 to 2099. Accepted forms:",
    ("--from", "9999-12-31"): "--from: '9999-12-31' is not an instant from 1970 to 2099.",
}


@pytest.mark.parametrize("options", _REFUSED, ids=" ".join)
def test_errors_name_wrong_options(command: Command, options: tuple[str, ...]) -> None:
    with pytest.raises(ConfigurationError) as caught:
        command(*options)
    assert str(caught.value).startswith(_REFUSED[options])


def test_an_error_in_the_settings_names_file_and_key(command: Command) -> None:
    command.configure('cron = "0 0 9 32 * ?"', 'dialect = "quartz"')
    with pytest.raises(ConfigurationError) as caught:
        command()
    assert str(caught.value).startswith(
        "invoiced.toml: connection 'Invoiced': schedule.cron: '0 0 9 32 * ?' is not quartz cron: "
        "'32' cannot be the day of month. Accepted: 1-31"
    )
