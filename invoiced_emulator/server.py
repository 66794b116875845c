"""`Emulator`: a local Invoiced that a test or a command starts."""

import signal
import socket
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Self

import uvicorn

from invoiced_emulator.calls.call import RequestHook, SharedState, WriteHook
from invoiced_emulator.calls.route_table import RouteTable
from invoiced_emulator.http.application import Application, LoggedRequest
from invoiced_emulator.http.authentication import KeyState
from invoiced_emulator.http.fault_injection import Faults
from invoiced_emulator.http.read_routes import read_routes
from invoiced_emulator.http.write_routes import write_routes
from invoiced_emulator.protocol.account import Account
from invoiced_emulator.protocol.clock import Clock
from invoiced_emulator.records.store import Store
from invoiced_emulator.records.webhook_deliveries import deliver

DEFAULT_KEY = "emulator0000000000000000000000ab"
_HOST = "127.0.0.1"
_START_SECONDS = 30


class Emulator:
    """A local Invoiced account over HTTP.

        with Emulator() as emulator:
            emulator.store.put("customers", {"id": 1, "object": "customer", "name": "Acme"})
            requests.get(f"{emulator.url}/customers", auth=(emulator.api_key, ""))

    Args:
        database: A SQLite file, created when missing, or `:memory:`.
        port: Port to bind; 0 takes a free one.
        api_key: The account's API key.
        keys: More keys and their states.
        company_timezone: IANA name; dates in filters are read in it.
        features: The account's features.
        faults: What goes wrong.
        clock: The account's time; the machine's when None.
        request_limit: Requests that a key may have in flight.
        settings: Any other field of `Account`, by name.
    """

    def __init__(  # noqa: PLR0913 - optional keywords, most tests pass none
        self,
        *,
        database: Path | str = ":memory:",
        port: int = 0,
        api_key: str = DEFAULT_KEY,
        keys: Mapping[str, KeyState] | None = None,
        company_timezone: str = "UTC",
        features: Iterable[str] = ("subscription_billing",),
        faults: Faults | None = None,
        clock: Clock | None = None,
        request_limit: int = 20,
        **settings: Any,
    ) -> None:
        self.api_key = api_key
        self.clock = clock or Clock()
        self.store = Store(database)
        self.account = Account(
            timezone=company_timezone,
            features=set(features),
            request_limit=request_limit,
            **settings,
        )
        self._shared = SharedState(store=self.store, account=self.account, clock=self.clock)
        self.application = Application(
            self._shared,
            RouteTable([*read_routes(), *write_routes()]),
            {api_key: "active", **(keys or {})},
            faults or Faults(),
        )
        self._socket = socket.create_server((_HOST, port), backlog=128)
        self.port: int = self._socket.getsockname()[1]
        self._server = _Server(_configuration(self.application))
        self._thread = threading.Thread(
            target=self._server.run, args=([self._socket],), name="emulator", daemon=True
        )

    @property
    def url(self) -> str:
        """Base address of the API, without a slash at the end."""
        return f"http://{_HOST}:{self.port}"

    @property
    def faults(self) -> Faults:
        """What goes wrong; may change at any time."""
        return self.application.faults

    @property
    def keys(self) -> dict[str, KeyState]:
        """The state of every API key; may change at any time."""
        return self.application.keys

    @property
    def requests(self) -> list[LoggedRequest]:
        """The latest requests (method, path, query parameters, status), oldest first."""
        return list(self.application.requests)

    @property
    def peak_in_flight(self) -> int:
        """The most requests that were in flight at one time."""
        return self.application.dispatcher.slots.peak

    @property
    def on_request(self) -> RequestHook | None:
        """Called with path and query before each GET is handled."""
        return self._shared.on_request

    @on_request.setter
    def on_request(self, hook: RequestHook | None) -> None:
        self._shared.on_request = hook

    @property
    def on_write(self) -> WriteHook | None:
        """Called with method, path and status between the commit of a write and its response."""
        return self._shared.on_write

    @on_write.setter
    def on_write(self, hook: WriteHook | None) -> None:
        self._shared.on_write = hook

    def deliver_webhooks(self) -> int:
        """Sends all webhook deliveries that are due, which nothing else does; returns how many."""
        return deliver(self.store, self.clock)

    def lock(self, collection: str, record_id: int, *, seconds: int = 60) -> None:
        """Locks a record as if another process edited it: the API refuses its edits."""
        self._shared.locks.put(f"{collection}/{record_id}", 1, seconds=seconds)

    def forget(self) -> None:
        """Clears the request log, the peak, edit locks, and values kept between pages."""
        self.application.requests.clear()
        self.application.dispatcher.slots.peak = 0
        self._shared.counts.clear()
        self._shared.cursors.clear()
        self._shared.locks.clear()

    def start(self) -> None:
        """Serves in a thread; returns when it accepts requests."""
        self._thread.start()
        if not self._server.ready.wait(_START_SECONDS):
            msg = f"the emulator did not start within {_START_SECONDS} s"
            raise RuntimeError(msg)

    def stop(self) -> None:
        """Stops serving and closes the database."""
        self.faults.stalls.release()
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join()
        self._socket.close()
        self.store.close()

    def run(self) -> None:
        """Serves in this thread until SIGINT or SIGTERM."""
        self._server.run([self._socket])

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


class _Server(uvicorn.Server):
    """A uvicorn server that signals when it accepts requests."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self.ready.set()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        # uvicorn would raise the signal again after its shutdown and before the emulator's.
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def _configuration(application: Application) -> uvicorn.Config:
    return uvicorn.Config(
        application,
        access_log=False,
        log_level="warning",
        log_config=None,
        lifespan="off",
        # The application sends its own headers, and nothing may wrap its connection.
        server_header=False,
        date_header=False,
        proxy_headers=False,
        # A client's pooled connection must not close under a request that cannot be retried.
        timeout_keep_alive=75,
        timeout_graceful_shutdown=1,
    )
