"""The emulator as a process: seeds once, stops at a signal."""

import signal
import socket
import subprocess
import sys
import time

import httpx
import pytest

from invoiced_emulator import run
from invoiced_emulator.records.store import Store
from invoiced_emulator.run import fill, is_empty

SERVE = """
import sys
from invoiced_emulator.run import serve
from invoiced_emulator.server import Emulator
serve(Emulator(port=int(sys.argv[1]), database=sys.argv[2]), customers=2, seed=3)
"""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@pytest.fixture
def served(tmp_path):
    """Starts a process on the same file, stops it and returns the number of invoices."""

    def run():
        port = free_port()
        command = [sys.executable, "-c", SERVE, str(port), str(tmp_path / "emulator.db")]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)  # noqa: S603
        try:
            total = wait_for_total(process, f"http://127.0.0.1:{port}")
        finally:
            process.send_signal(signal.SIGTERM)
            output, _ = process.communicate(timeout=30)
        return total, process.returncode, output

    return run


def wait_for_total(process, url):
    auth = ("emulator0000000000000000000000ab", "")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return int(httpx.get(f"{url}/invoices", auth=auth).headers["X-Total-Count"])
        except httpx.TransportError:
            time.sleep(0.05)
    pytest.fail("the emulator did not answer")


def test_a_database_is_seeded_only_once(served):
    first, code, output = served()
    assert first > 0
    assert (code, output) == (0, b"")
    assert served()[0] == first


def test_failed_seeding_writes_nothing(monkeypatch):
    def broken(**_):
        yield "customers", {"id": 1}
        raise RuntimeError

    monkeypatch.setattr(run, "generate", broken)
    store = Store()
    with pytest.raises(RuntimeError):
        fill(store, seed=1, customers=1, now=1)
    assert is_empty(store)
    store.close()
