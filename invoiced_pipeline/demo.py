"""The demonstration behind `make run`: a local Invoiced, some business in it, and a sync."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import urllib3
from pydantic import SecretStr

from invoiced_pipeline.exceptions import ConfigurationError, HostUnreachableError

_READY_WITHIN = 120.0


@contextmanager
def local_invoiced(url: str, database: Path, *, keep: bool = True) -> Iterator[bool]:
    """Has the emulator serve `url` while the block runs; one that serves it already is used.

    Args:
        url: Where it is to be.
        database: Its records.
        keep: Whether records of an earlier time are used. Where the warehouse is gone, so is the
            ledger of what was written into them.

    Yields:
        Whether its records were there before.

    Raises:
        HostUnreachableError: The emulator did not start.
    """
    is_up = _is_up(url)
    if not is_up and not keep:
        database.unlink(missing_ok=True)
    known = database.exists()
    if is_up:
        yield known
        return
    port = urlsplit(url).port
    if port is None:
        message = f"{url} names no port: the demo needs one for the local Invoiced"
        raise ConfigurationError(message)
    arguments = ["--port", str(port), "--database", str(database)]
    process = subprocess.Popen(  # noqa: S603 - this Python, and arguments of our own
        [sys.executable, "-m", "invoiced_pipeline.cli", "emulator", *arguments],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        _wait_until_up(url, process)
        yield known
    finally:
        process.terminate()
        process.wait(timeout=20)


def _is_up(url: str) -> bool:
    try:
        return urllib3.request("GET", f"{url}/health", timeout=2, retries=False).status == 200
    except urllib3.exceptions.HTTPError:
        return False


def _wait_until_up(url: str, process: "subprocess.Popen[str]") -> None:
    deadline = time.monotonic() + _READY_WITHIN
    while not _is_up(url):
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            said = process.stderr.read() if process.stderr else ""
            message = f"The local Invoiced did not start on {url}: {said.strip()[-500:]}"
            raise HostUnreachableError(message, path="/health")
        time.sleep(0.1)


def do_business(url: str, api_key: SecretStr) -> str:
    """Makes a day's changes through the API, as the company's people would; says which."""
    pool = urllib3.PoolManager(
        headers=urllib3.make_headers(basic_auth=f"{api_key.get_secret_value()}:")
    )

    def post(path: str, body: object) -> dict[str, object]:
        answer = pool.request("POST", f"{url}{path}", json=body, timeout=10)
        if answer.status >= 300:
            message = f"POST {path} answered {answer.status}: {answer.data.decode()[:200]}"
            raise ConfigurationError(message)
        return answer.json()

    customer = post("/customers", {"name": "Harbour Street Books", "currency": "usd"})
    lines = [{"name": "Shelving", "quantity": 4, "unit_cost": 129.5}]
    invoice = post(
        "/invoices", {"customer": customer["id"], "payment_terms": "NET 30", "items": lines}
    )
    share = {"type": "invoice", "invoice": invoice["id"], "amount": 118}
    post("/payments", {"customer": customer["id"], "amount": 118, "applied_to": [share]})
    return "a new customer, an invoice of 518.00 and a payment of 118.00"
