"""A folder after two syncs and a write-back, and Dagster's UI over it."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import urllib3
from pydantic import SecretStr

from invoiced_emulator.server import Emulator
from invoiced_pipeline.commands.demo_business import do_business
from invoiced_pipeline_tests.front_door import FrontDoor, front_door, invoiced_account, wait_until

WRITEBACK = "credit_watch"
_THIS_MONTH = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
START = (_THIS_MONTH - timedelta(days=160)).replace(day=1)
"""The start date: the first of six or seven partitions, of which the last is this month."""

_SETTINGS = f"""
[[writeback]]
name = "{WRITEBACK}"
description = "The three customers with the most money overdue, marked for the sales team"
operation = "update_customer"
source = '''
    select customers.id, 'most money overdue' as watch
    from invoices join customers on customers.id = invoices.customer
    where invoices.status = 'past_due' and invoices.currency = 'usd'
    group by customers.id order by sum(invoices.balance) desc, customers.id limit 3
'''
key = "id"
mapping = {{ "metadata.credit_watch" = "watch" }}
active = true
"""


@dataclass(frozen=True)
class Site:
    """A running webserver.

    Attributes:
        url: Where the UI is.
        door: The folder, for commands and questions.
        account: The Invoiced account.
    """

    url: str
    door: FrontDoor
    account: Emulator

    def runs(self) -> set[str]:
        """The ids of all runs."""
        query = "{ runsOrError { ... on Runs { results { runId } } } }"
        found = _ask(self.url, query)["runsOrError"]["results"]
        return {run["runId"] for run in found}


@contextmanager
def site(folder: Path) -> Iterator[Site]:
    """Serves the UI of a folder with a replicated account and a pushed write-back."""
    with (
        invoiced_account(customers=60) as account,
        front_door(folder, account) as door,
    ):
        door.environment |= {"INVOICED_START_DATE": str(START.date()), "DAGSTER_HOME": str(folder)}
        (folder / "invoiced.toml").write_text(_SETTINGS)
        door.sync()
        do_business(account.url, SecretStr(account.api_key))
        door.sync()
        door.run("invoiced-pipeline", "writeback", "push", WRITEBACK)
        with _webserver(door) as url:
            yield Site(url, door, account)


@contextmanager
def _webserver(door: FrontDoor) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with (door.folder / "webserver.log").open("w") as log:
        process = door.start("dagster", "dev", "-h", "127.0.0.1", "-p", str(port), log=log)
        try:
            wait_until(lambda: _is_up(url), f"the webserver; it writes into {log.name}")
            yield url
        finally:
            if process.poll() is None:
                door.kill(process)


def _is_up(url: str) -> bool:
    """Returns whether the UI and its code location are loaded."""
    query = "{ workspaceOrError { ... on Workspace { locationEntries { loadStatus } } } }"
    with suppress(urllib3.exceptions.HTTPError):
        entries = _ask(url, query)["workspaceOrError"].get("locationEntries", [])
        return bool(entries) and all(entry["loadStatus"] == "LOADED" for entry in entries)
    return False


def _ask(url: str, query: str) -> Any:
    answer = urllib3.request("POST", f"{url}/graphql", json={"query": query}, timeout=60)
    return answer.json()["data"]
