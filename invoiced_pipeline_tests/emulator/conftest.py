"""A running emulator per module, and a small client that speaks HTTP only."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest

from invoiced_emulator.protocol.clock import Clock
from invoiced_emulator.server import Emulator

NOW = 1_700_000_000


@dataclass(frozen=True)
class Api:
    """Requests against one emulator, authenticated by default."""

    emulator: Emulator
    http: httpx.Client

    def __call__(self, method: str, path: str, body: Any = None, **options: Any) -> httpx.Response:
        options.setdefault("auth", (self.emulator.api_key, ""))
        if body is not None:
            options["content"] = msgspec.json.Encoder(decimal_format="number").encode(body)
            options["headers"] = {"Content-Type": "application/json"} | options.get("headers", {})
        return self.http.request(method, path, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self("GET", path, **options)

    def ok(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        """Returns the decoded body of a response that is not an error; numbers are exact."""
        response = self(method, path, body, **options)
        assert response.status_code < 400, response.text
        return exact(response) if response.content else None

    def error(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[Any, ...]:
        """Returns status, message and param of an error."""
        response = self(method, path, body, **options)
        error = response.json()
        return response.status_code, error["message"], error.get("param")

    def events(self, *types: str) -> list[dict[str, Any]]:
        found = self.ok("GET", "/events?sort=id asc")
        return [event for event in found if not types or event["type"] in types]


def exact(response: httpx.Response) -> Any:
    return msgspec.json.Decoder(float_hook=Decimal).decode(response.content)


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[..., Api]]:
    """Starts emulators that run until the end of the module."""
    running: list[Api] = []

    def run(**settings: Any) -> Api:
        emulator = Emulator(**{"clock": Clock(NOW)} | settings)
        emulator.start()
        api = Api(emulator, httpx.Client(base_url=emulator.url))
        running.append(api)
        return api

    yield run
    for api in running:
        api.http.close()
        api.emulator.stop()


@pytest.fixture(scope="module")
def shared(start: Callable[..., Api]) -> Api:
    """One emulator for the tests of a module that do not affect each other."""
    return start()


@pytest.fixture
def api(shared: Api) -> Api:
    """The module's emulator, emptied."""
    emulator = shared.emulator
    with emulator.store.transaction():
        for table in ("records", "bodies", "event_links", "sequences", "replays"):
            emulator.store.execute(f"DELETE FROM {table}")
    emulator.faults.clear()
    emulator.clock.set(NOW)
    emulator.on_request = emulator.on_write = None
    emulator.forget()
    return shared
