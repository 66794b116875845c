"""What breaks, and what is left of it: each fault ends in one error, and the next sync mends it."""

import json
import signal
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from invoiced_emulator.http.fault_injection import FAULTS, Fault
from invoiced_emulator.server import Emulator
from invoiced_pipeline.exceptions import TransientApiError
from invoiced_pipeline.invoiced.http.client import InvoicedClient, RetryPolicy
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline_tests.conftest import NOW, Replica, customer, invoice
from invoiced_pipeline_tests.lock_holder import settings_of

# One kind is enough for every day: the client's own tests try them all.
STORMS = [
    "rate429",
    *(pytest.param(fault, marks=pytest.mark.slow) for fault in FAULTS if fault != "rate429"),
]
COUNT = 250


@pytest.fixture
def filled(emulator: Emulator) -> Emulator:
    emulator.store.put_many("customers", [customer(n, NOW - n - 1000) for n in range(1, 31)])
    lines = [{"id": 1, "name": "line", "description": "x" * 500}]
    emulator.store.put_many(
        "invoices", [invoice(n, NOW - n - 1000, items=lines) for n in range(1, COUNT + 1)]
    )
    return emulator


def assert_whole(replicate: Replica) -> None:
    assert replicate.ids("customers") == list(range(1, 31))
    assert replicate.ids("invoices") == list(range(1, COUNT + 1))
    assert len(replicate.rows("invoices__items")) == COUNT


@pytest.mark.parametrize("fault", STORMS)
def test_a_storm_that_passes_costs_retries_and_no_record(
    filled: Emulator, replicate: Replica, fault: Fault
) -> None:
    filled.faults.next(fault, count=3, path="/invoices")
    reports = replicate.ok("customers", "invoices")
    assert reports["invoices"].tally.retries == 3
    assert_whole(replicate)


@pytest.mark.parametrize("fault", STORMS)
def test_a_storm_that_stays_fails_its_table_within_bounds(
    filled: Emulator, replicate: Replica, fault: Fault
) -> None:
    filled.faults.next(fault, count=10_000, path="/invoices")
    reports = replicate("customers", "invoices")
    assert reports["customers"].error is None
    assert "/invoices" in (reports["invoices"].error or "")
    assert not reports["invoices"].coverage.windows
    assert reports["invoices"].tally.requests <= 8
    filled.faults.clear()
    replicate.ok("customers", "invoices")
    assert_whole(replicate)


@contextmanager
def broken_off(how: str, times: int) -> Iterator[str]:
    """A server whose first answers break off in mid-body: the connection is reset, or stalls."""
    body = json.dumps([{"id": 1, "notes": "x" * 5000}]).encode()
    head = f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode()
    listener = socket.create_server(("127.0.0.1", 0))
    kept: list[socket.socket] = []

    def serve() -> None:
        for number in range(times + 1):
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.recv(65536)
            connection.sendall(head + (body[:2000] if number < times else body))
            if number < times and how == "stalls":
                kept.append(connection)
                continue
            if number < times:  # a close that does not linger is a reset
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()
        for connection in kept:
            connection.close()


@pytest.mark.parametrize("how", ["resets", "stalls"])
@pytest.mark.parametrize(("times", "mends"), [(2, True), (3, False)])
def test_a_body_that_never_ends_is_asked_for_again(how: str, times: int, mends: bool) -> None:
    retry_policy = RetryPolicy(attempts=3, longest_wait=0.001, connect_seconds=5, read_seconds=0.2)
    with broken_off(how, times) as url:
        client = InvoicedClient(url, SecretStr("key"), retry_policy=retry_policy)
        tally = Tally()
        if mends:
            assert client.list_page("/customers", (), tally).body.endswith(b'"}]')
        else:
            with pytest.raises(TransientApiError, match="the connection failed"):
                client.list_page("/customers", (), tally)
        client.close()
    assert tally.requests == 3


_CHILD = """
import json, os, resource, signal, sys
from invoiced_pipeline.settings import WarehouseSettings
from invoiced_pipeline.warehouse.open import open_database
from invoiced_pipeline_tests.conftest import Replica
moment, url, key = sys.argv[1:]
database = open_database(WarehouseSettings(**json.loads(sys.stdin.readline())))

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

def killed_in(owner, name, when=lambda *a: True, after=False):
    original = getattr(owner, name)
    def method(*args, **kwargs):
        if when(*args) and not after:
            die()
        result = original(*args, **kwargs)
        if after:
            die()
        return result
    setattr(owner, name, method)

from dlt.pipeline.pipeline import Pipeline
from invoiced_pipeline.replication.decode.batches import Batcher
if database.kind == "duckdb":
    from invoiced_pipeline.warehouse.duckdb.destination import QualifiedDuckDbClient as JobClient
    from invoiced_pipeline.warehouse.duckdb.destination import QualifiedSqlClient as SqlClient
else:
    from dlt.destinations.impl.postgres.sql_client import Psycopg2SqlClient as SqlClient
    from invoiced_pipeline.warehouse.postgres.destination import ExactPostgresClient as JobClient

def merges_invoices(_, statements, *rest):
    return any("DELETE FROM" in text and '"invoices"' in text for text in statements)

if moment == "file size":
    resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
elif moment == "extract":
    killed_in(Batcher, "flush")
elif moment == "between extract and load":
    killed_in(Pipeline, "load")
elif moment == "during the merge":
    killed_in(SqlClient, "execute_many", merges_invoices)
elif moment == "before the state commits":
    killed_in(JobClient, "complete_load")
elif moment == "after the state committed":
    killed_in(JobClient, "complete_load", after=True)
try:
    reports = Replica(url, key, database)("customers", "invoices")
except Exception as error:
    print(type(error).__name__, error)
else:
    print("done", [report.error for report in reports.values()])
"""


def child(moment: str, replicate: Replica) -> "subprocess.CompletedProcess[str]":
    arguments = (moment, replicate.url, replicate.api_key)
    return subprocess.run(  # noqa: S603 - our own script
        [sys.executable, "-c", _CHILD, *arguments],
        input=json.dumps(settings_of(replicate.database)) + "\n",
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[1],
        timeout=180,
    )


_KILLS = {
    "extract": pytest.mark.slow,
    "between extract and load": pytest.mark.slow,
    "during the merge": pytest.mark.slow,
    "before the state commits": (),
    "after the state committed": pytest.mark.slow,
}


@pytest.mark.parametrize("moment", [pytest.param(name, marks=_KILLS[name]) for name in _KILLS])
def test_killed_at_every_stage_of_a_load(filled: Emulator, replicate: Replica, moment: str) -> None:
    assert child(moment, replicate).returncode == -signal.SIGKILL
    report: Any = replicate.ok("customers", "invoices")["invoices"]
    committed = moment == "after the state committed"
    assert bool(report.coverage_before.windows) == committed
    assert_whole(replicate)


def test_a_file_that_may_not_grow_fails_the_load_and_leaves_a_sound_warehouse(
    filled: Emulator, replicate: Replica, warehouse: Path
) -> None:
    assert replicate.database.label == str(warehouse)
    said = child("file size", replicate)
    assert said.stdout.startswith("WarehouseNotWritableError"), said.stdout + said.stderr
    assert "the next run repeats this one's work" in said.stdout
    assert "Traceback" not in said.stderr  # dlt's, for every try
    replicate.ok("customers", "invoices")
    assert_whole(replicate)
