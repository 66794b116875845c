"""The ASGI application: receives requests, sends responses, and breaks them as faults say."""

import secrets
from collections import deque
from collections.abc import MutableMapping
from email.utils import formatdate
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from invoiced_emulator.calls.call import Response, SharedState
from invoiced_emulator.calls.route_table import RouteTable
from invoiced_emulator.http.authentication import KeyState
from invoiced_emulator.http.dispatcher import Dispatcher, ReceivedRequest
from invoiced_emulator.http.fault_injection import Faults
from invoiced_emulator.http.send import cut, respond, respond_partly
from invoiced_emulator.protocol import query

_LOGGED_REQUESTS = 10_000

LoggedRequest = tuple[str, str, dict[str, Any], int]
"""Method, path, query parameters and status; the status is 0 when the connection was cut."""


class Application:
    """The ASGI application of the emulated API.

    Args:
        shared: The account and its records.
        routes: Every route of the API.
        keys: The state of every API key; may change at run time.
        faults: What goes wrong; may change at run time.
    """

    def __init__(
        self, shared: SharedState, routes: RouteTable, keys: dict[str, KeyState], faults: Faults
    ) -> None:
        self.shared = shared
        self.routes = routes
        self.keys = keys
        self.faults = faults
        self.requests: deque[LoggedRequest] = deque(maxlen=_LOGGED_REQUESTS)
        self.dispatcher = Dispatcher(shared, routes, keys, faults)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handles one HTTP request."""
        request = Request(scope, receive)
        raw = await request.body()
        request_id = request.headers.get("x-request-id") or secrets.token_hex(16)
        correlation_id = request.headers.get("x-correlation-id") or request_id
        fault = self.faults.next_fault(request.method, request.url.path)
        received = ReceivedRequest(request, raw, fault, correlation_id)
        response = await self.dispatcher.respond(received)
        cut_off = fault in {"drop_connection", "lose_response"}
        status = 0 if cut_off else response.status
        values = query.parse(request.url.query)
        self.requests.append((request.method, request.url.path, values, status))
        if cut_off:
            await cut(send)
            return
        if response.body and request.headers.get("user-agent", "").startswith("curl"):
            pretty = msgspec.json.format(response.body, indent=4)
            response = Response(response.status, pretty, response.headers)
        if fault == "replace_body":
            response = Response(response.status, self.faults.body, response.headers)
        headers = self._headers(request, response, request_id, correlation_id)
        sender = respond_partly if fault == "truncate_body" else respond
        await sender(send, response, headers)

    def _headers(
        self, request: Request, response: Response, request_id: str, correlation_id: str
    ) -> MutableMapping[str, str]:
        headers = {
            "Cache-Control": "no-cache, no-store",
            "X-Request-Id": request_id,
            "X-Correlation-Id": correlation_id,
            **response.headers,
        }
        if "x-app-version" not in request.headers:
            headers["WWW-Authenticate"] = 'Basic realm="Invoiced"'
        if self.shared.account.date_header:
            headers["Date"] = formatdate(self.shared.clock.now(), usegmt=True)
        return headers
