"""Log lines as JSON: of the formatter, of runs in this process, and of a command."""

import json
import logging
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline.json_logs import JsonFormatter
from invoiced_pipeline.settings import load_settings
from invoiced_pipeline.settings.secret_texts import secret_texts
from invoiced_pipeline_tests.front_door import SECRETS, front_door

META = {
    "run_id": "r1",
    "job_name": "acme_sync",
    "step_key": "replicate_acme",
    "orig_message": "said in a run",
    "dagster_event": None,
}


def line(record: logging.LogRecord, *secrets: str) -> dict[str, str]:
    return json.loads(JsonFormatter(secrets, {"replicate_acme": "Acme"}).format(record))


def record(message: str, *arguments: object, **extra: Any) -> logging.LogRecord:
    made = logging.LogRecord("a.logger", logging.INFO, "x.py", 1, message, arguments, None)
    made.created = 1_700_000_000.25
    made.__dict__.update(extra)
    return made


def test_what_is_not_known_is_left_out() -> None:
    assert line(record("%s rows", 7)) == {
        "time": "2023-11-14T22:13:20.250+00:00",
        "level": "INFO",
        "logger": "a.logger",
        "message": "7 rows",
    }


def test_a_record_of_a_run_names_run_connection_and_table() -> None:
    found = line(
        record("x", dagster_meta=META, source="ours", report=SimpleNamespace(table="plans"))
    )
    assert found == found | {
        "logger": "ours",
        "message": "said in a run",
        "run_id": "r1",
        "job": "acme_sync",
        "connection": "Acme",
        "table": "plans",
    }
    assert "connection" not in line(record("x", dagster_meta={**META, "step_key": "theirs"}))


def test_secrets_are_hidden_in_messages_and_exceptions() -> None:
    try:
        raise RuntimeError("refused: s3cret-key in\na second line")
    except RuntimeError as error:
        failed = record("sent s3cret-key")
        failed.exc_info = (RuntimeError, error, error.__traceback__)
    text = JsonFormatter(["s3cret-key"], {}).format(failed)
    assert "s3cret" not in text
    assert "\n" not in text
    found = json.loads(text)
    assert found["message"] == "sent (hidden)"
    assert "RuntimeError: refused: (hidden) in\na second line" in found["error"]


def test_secrets_are_known_in_all_their_forms(tmp_path: Path) -> None:
    (tmp_path / "invoiced.toml").write_text('[[connection]]\n[[connection]]\nname = "b"\n')
    environment = {
        "INVOICED_API_KEY": "the-key",
        "INVOICED_HASH_SALT": "the salt",
        "INVOICED_PROXY": "http://user:in-proxy@127.0.0.1:1",
        "INVOICED_DESTINATION": "postgres",
        "INVOICED_POSTGRES_URL": "postgresql://me:p%40ss@127.0.0.1/db?sslpassword=of-ssl",
    }
    found = secret_texts(load_settings(environment, tmp_path))
    expected = {"the-key", "dGhlLWtleTo=", "the salt", "the%20salt", "in-proxy", "p@ss", "p%40ss"}
    assert expected | {"of-ssl"} <= set(found)
    assert list(found) == sorted(found, key=len, reverse=True)


@pytest.mark.parametrize("managed", [True, False])
def test_a_command_writes_lines(emulator: Emulator, tmp_path: Path, managed: bool) -> None:
    """Whether or not `dagster.yaml` makes the pipeline's records part of a run's log."""
    with front_door(tmp_path, emulator) as door:
        if not managed:
            file = tmp_path / "dagster.yaml"
            file.write_text(file.read_text().replace("[invoiced_pipeline]", "[]"))
        emulator.keys.clear()  # the API repeats the key that it refuses
        done = door.sync("--select", "plans", "--json", status=1, INVOICED_LOG_FORMAT="json")
        for secret in SECRETS:
            assert secret not in done.said
    assert "401" in json.loads(done.out)["error"]
    lines = [json.loads(each) for each in done.err.splitlines() if each.startswith("{")]
    of_table = next(each for each in lines if each.get("table") == "plans")
    assert of_table["logger"].startswith("invoiced_pipeline.replication")
    assert of_table["level"] == "ERROR"
    failed = [each for each in lines if "error" in each]
    assert {each["connection"] for each in failed} == {"Invoiced"}
    assert len({each["run_id"] for each in failed}) == 1
    messages = [each["message"] for each in lines]
    assert len(messages) == len(set(messages))  # no record is written twice
    assert "not complete" not in done.err.replace("\n", " ").split("{")[0]
