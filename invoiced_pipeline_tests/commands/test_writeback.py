"""`invoiced-pipeline writeback`, in a folder of its own against an empty account."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from invoiced_emulator.protocol.clock import Clock
from invoiced_emulator.server import Emulator
from invoiced_pipeline.cli import app
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline_tests.warehouses import opened, warehouse_variables

TOML = """
[[connection]]
api_url = "{url}"
api_key = "{key}"

[[writeback]]
name = "crm"
operation = "create_customer"
source = "crm.csv"
key = "ext_id"
exclude = ["ext_id"]
active = true

[[writeback]]
name = "quiet"
operation = "create_customer"
source = "crm.csv"
key = "ext_id"
exclude = ["ext_id"]
"""


@dataclass
class Command:
    """The command, as often as one likes."""

    folder: Path
    emulator: Emulator

    def __call__(self, *options: str, status: int = 0) -> str:
        ended = CliRunner().invoke(app, ["writeback", *options], catch_exceptions=False)
        assert ended.exit_code == status, ended.output
        return ended.stdout

    def data(self, *options: str, status: int = 0) -> Any:
        return json.loads(self(*options, "--json", status=status).splitlines()[-1])

    def source(self, *rows: str) -> None:
        lines = "\n".join(["ext_id,name,email", *rows])
        (self.folder / "crm.csv").write_text(lines, encoding="utf-8")

    @property
    def posted(self) -> int:
        return len([each for each in self.emulator.requests if each[0] == "POST"])


@pytest.fixture
def command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Command]:
    with Emulator(clock=Clock(1_700_000_000)) as emulator, warehouse_variables() as variables:
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("COLUMNS", "200")
        monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
        (tmp_path / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", encoding="utf-8")
        toml = TOML.format(url=emulator.url, key=emulator.api_key)
        (tmp_path / "invoiced.toml").write_text(toml, encoding="utf-8")
        (tmp_path / "data").mkdir()
        with opened(variables, tmp_path).session("invoiced") as session:
            session.run("create table plans (_deleted_at timestamp with time zone)")
        yield Command(tmp_path, emulator)


def test_from_a_plan_to_the_end(command: Command) -> None:
    command.source("C1,Acme,pay@acme.example", "C2,Globex,nomail")
    planned = command.data("plan", "crm", status=1)
    assert (planned["counts"]["create"], planned["counts"]["invalid"]) == (1, 1)
    assert planned["rows"][0]["body"] == {"email": "pay@acme.example", "name": "Acme"}
    assert planned["rows"][1]["reason_param"] == "email"
    assert "C2      invalid  email  email is not an email address: 'nomail'" in command(
        "plan", "crm", status=1
    )
    assert command.posted == 0

    pushed = command.data("push", "crm", status=1)
    assert "1 of 2 rows was refused" in pushed["error"]
    assert pushed["report"]["states"] == {"succeeded": 1, "invalid": 1}
    standing = command.data("status", "crm", status=1)
    assert standing["states"]["succeeded"] == 1
    assert [each["record_key"] for each in standing["problems"]] == ["C2"]

    command.source("C1,Acme,pay@acme.example", "C2,Globex,ap@globex.example")
    assert "succeeded" in command("push", "crm")
    assert command.data("status", "crm")["states"]["succeeded"] == 2
    assert command.data("plan", "crm")["counts"]["unchanged"] == 2
    assert command.posted == 2


def test_one_by_hand_and_retries(command: Command) -> None:
    command.source("C1,Acme,", "C2,Globex,")
    tested = command.data("test", "crm", "--record", "C1", "--set", "number=N1")
    assert tested["response"]["number"] == "N1"
    assert command.posted == 1
    # C2 takes a number that is taken: Invoiced refuses it, and again, until it may have it.
    tested = command.data("test", "crm", "--record", "C2", "--set", "number=N1", status=1)
    assert tested["response"]["param"] == "number"
    assert tested["report"]["problems"][0]["status_code"] == 400
    command.data("push", "crm")  # as the source has it, without a number
    assert command.data("status", "crm")["states"]["succeeded"] == 2


def test_a_refused_row_is_sent_again_by_retry_alone(command: Command) -> None:
    command.emulator.store.put_many(
        "customers", [{"id": 9, "object": "customer", "number": "N1", "name": "Other"}]
    )
    toml = command.folder / "invoiced.toml"
    text = toml.read_text(encoding="utf-8").replace('exclude = ["ext_id"]', "", 1)
    text = text.replace('key = "ext_id"', 'key = "ext_id"\nmapping = { number = "ext_id" }', 1)
    toml.write_text(text, encoding="utf-8")
    command.source("N1,Acme,")
    refused = command.data("push", "crm", status=1)
    assert refused["report"]["states"] == {"rejected": 1}
    attempts = command.posted
    again = command.data("push", "crm", status=1)
    assert again["report"]["states"] == {"rejected": 1}
    assert command.posted == attempts
    command.emulator.store.remove("customers", 9)
    assert command.data("retry", "crm")["report"]["states"] == {"succeeded": 1}


def test_what_is_not_active_says_so(command: Command) -> None:
    command.source("C1,Acme,")
    assert "set active = true" in command("plan", "quiet")
    pushed = command.data("push", "quiet", status=1)
    assert "is not active: nothing was sent" in pushed["error"]
    assert "Nothing has been sent yet" in command("status", "quiet")
    assert command.posted == 0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("plan", "nobody"), "has no write-back 'nobody'. Its write-backs: crm, quiet"),
        (("push", "nobody"), "has no write-back 'nobody'"),
        (("status", "nobody"), "has no write-back 'nobody'"),
        (("test", "crm", "--record", "C1", "--set", "x"), "the accepted form is field=value"),
    ],
)
def test_wrong_options_are_refused(
    command: Command, options: tuple[str, ...], message: str
) -> None:
    with pytest.raises(ConfigurationError) as caught:
        command(*options)
    assert message in str(caught.value)
