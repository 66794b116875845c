"""Alerts as users get them: Dagster's daemon, real commands, a webhook and a mail server."""

import json
from pathlib import Path

import dagster as dg
import pytest

from invoiced_pipeline.defs.names import ALERTS_SENSOR
from invoiced_pipeline_tests.front_door import front_door, invoiced_account, wait_until
from invoiced_pipeline_tests.inboxes import TOKEN, mailbox, webhook

pytestmark = pytest.mark.slow


def ticks(instance: dg.DagsterInstance) -> int:
    """How many ticks the daemon has recorded."""
    states = instance.all_instigator_state()
    (state,) = [each for each in states if each.instigator_name == ALERTS_SENSOR] or [None]
    if state is None:
        return 0
    return len(instance.get_ticks(state.instigator_origin_id, state.selector_id))


def test_a_failed_sync_is_told_once_by_the_daemon(tmp_path: Path) -> None:
    with invoiced_account() as account, webhook() as hook, mailbox() as mails:
        with front_door(tmp_path, account) as door:
            door.environment |= {
                "DAGSTER_HOME": str(tmp_path),
                "INVOICED_ALERT_URLS": f"{hook.address}, {mails.address}",
            }
            account.keys[account.api_key] = "canceled"
            door.sync("--select", "plans", status=1)
            log = (tmp_path / "daemon.log").open("w")
            daemon = door.start("dagster-daemon", "run", "-w", "workspace.yaml", log=log)
            with door.instance() as instance:
                wait_until(lambda: hook.messages, "the alert")
                told = ticks(instance)
                wait_until(lambda: ticks(instance) > told + 1, "the next tick")
            shown = json.loads(door.run("invoiced-pipeline", "alert", "--json").out)
            assert shown["on"]
            assert [(each["kind"], each["subject"]) for each in shown["open"]] == [
                ("load", "plans")
            ]
            assert "Not loaded: plans." in door.run("invoiced-pipeline", "alert").out
            assert len(hook.messages) == 1
            account.keys[account.api_key] = "active"
            door.sync("--select", "plans")
            # A mail for each of the two recipients.
            wait_until(lambda: len(hook.messages) == 2 and len(mails.mails) == 4, "the recovery")
            door.kill(daemon)
            log.close()
            assert TOKEN not in (tmp_path / "daemon.log").read_text()
        bodies = [each["message"] for each in hook.messages]
        assert bodies[0].startswith("Not loaded: plans.\nWhy: The Invoiced account is not active")
        assert bodies[1:] == ["Recovered: plans (not loaded)."]
        mailed = [mail.get_content().splitlines() for mail in mails.mails[::2]]
        assert mailed == [body.splitlines() for body in bodies]
