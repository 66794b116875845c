"""`invoiced-pipeline alert`, and what `check` says about alerts."""

import json
from pathlib import Path

from invoiced_pipeline_tests.front_door import front_door
from invoiced_pipeline_tests.inboxes import TOKEN, free_port, webhook

COMMAND = ("invoiced-pipeline", "alert")


def test_a_test_message_goes_to_every_address(tmp_path: Path) -> None:
    gone = f"json://user:{TOKEN}@127.0.0.1:{free_port()}/{TOKEN}"
    with webhook() as hook, front_door(tmp_path) as door:
        one = {"INVOICED_ALERT_URLS": hook.address}
        assert "✓ address 1 (JSON): took the message" in door.run(*COMMAND, "--test", **one).out
        (message,) = hook.take()
        assert message["title"] == "invoiced_pipeline: test"
        (tmp_path / ".env").write_text(f'INVOICED_ALERT_URLS="{gone}\n{hook.address}, x://y"\n')
        finished = door.run(*COMMAND, "--test", status=1)
        assert "✗ address 1 (JSON): did not take the message" in finished.out
        assert "✓ address 2 (JSON)" in finished.out
        assert "✗ address 3 (not understood)" in finished.out
        assert TOKEN not in finished.said
        found = json.loads(door.run(*COMMAND, "--test", "--json", status=1).out)
        assert [each["taken"] for each in found] == [False, True, False]
        assert len(hook.messages) == 2


def test_the_sensor_has_not_run_yet(tmp_path: Path) -> None:
    with front_door(tmp_path) as door:
        missing = door.run(*COMMAND, status=1)
        assert missing.err.startswith("There are no addresses for alerts. Set INVOICED_ALERT_URLS")
        address = {"INVOICED_ALERT_URLS": "json://127.0.0.1"}
        assert "The sensor alerts_sensor has not run yet" in door.run(*COMMAND, **address).out
        assert json.loads(door.run(*COMMAND, "--json", **address).out) == {"on": False, "open": []}


def test_check_says_whether_alerts_are_set_up(tmp_path: Path) -> None:
    with front_door(tmp_path) as door:
        door.environment |= {"INVOICED_API_KEY": "", "INVOICED_API_URL": ""}

        def said() -> str:
            out = door.run("invoiced-pipeline", "check", "--json", status=1).out
            (found,) = [each for each in json.loads(out) if each["subject"] == "alerts"]
            return f"{found['problem']}: {found['detail']}"

        assert said() == "None: not set up: INVOICED_ALERT_URLS has no addresses"
        door.environment["INVOICED_ALERT_URLS"] = f"json://host/{TOKEN}"
        assert said().startswith("None: 1 address (JSON). Test them: invoiced-pipeline alert")
        door.environment["INVOICED_ALERT_URLS"] = f"json://host https//{TOKEN}"
        wrong = said()
        assert wrong.startswith("unknown address: INVOICED_ALERT_URLS: address 2 of 2 is none that")
        assert TOKEN not in wrong
