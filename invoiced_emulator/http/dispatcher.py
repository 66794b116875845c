"""Checks requests in Invoiced's order and passes them to their handlers."""

import asyncio
import logging
import os
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request

from invoiced_emulator.calls.call import Call, Response, SharedState, json_response
from invoiced_emulator.calls.route_table import Route, RouteTable
from invoiced_emulator.http.authentication import Caller, KeyState, authenticate
from invoiced_emulator.http.fault_injection import Fault, Faults
from invoiced_emulator.http.idempotency import Idempotency
from invoiced_emulator.http.request_slots import RequestSlots
from invoiced_emulator.protocol import query
from invoiced_emulator.protocol.errors import (
    ApiError,
    feature_missing,
    forbidden,
    server_error,
    syntax_error,
)
from invoiced_emulator.protocol.exact_json import decode
from invoiced_emulator.records.unit_of_work import UnitOfWork

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ReceivedRequest:
    """A request, its body, and the fault that is injected."""

    request: Request
    raw: bytes
    fault: Fault | None
    correlation_id: str


@dataclass(frozen=True, slots=True)
class _Body:
    values: dict[str, Any]
    form: bool
    """Whether it came form-encoded: then every value is text."""


class Dispatcher:
    """Turns a request into a response."""

    def __init__(
        self, shared: SharedState, routes: RouteTable, keys: dict[str, KeyState], faults: Faults
    ) -> None:
        self.slots = RequestSlots()
        self._shared = shared
        self._routes = routes
        self._keys = keys
        self._faults = faults
        self._idempotency = Idempotency(shared.store, shared.clock)

    async def respond(self, received: ReceivedRequest) -> Response:
        """Returns the response to a request, an error included."""
        try:
            return await self._checked(received)
        except ApiError as error:
            return self._error_response(error, received.correlation_id)

    async def _checked(self, received: ReceivedRequest) -> Response:
        request, fault = received.request, received.fault
        body = _parsed_body(request, received.raw)
        if request.url.path == "/health":
            # Not in Invoiced: the demo asks whose records the emulator at an address serves.
            health = {"status": "ok", "database": self._shared.store.database}
            return json_response(200, health | {"process": os.getpid()})
        account = self._shared.account
        caller = authenticate(request.headers.get("authorization"), self._keys, account)
        with self.slots.taken(caller, account.request_limit, refuse=fault == "rate429"):
            if self._faults.latency_ms:
                await asyncio.sleep(self._faults.latency_ms / 1000)
            if fault == "drop_connection":
                return Response(0)
            return await self._replayed_or_handled(received, caller, body)

    async def _replayed_or_handled(
        self, received: ReceivedRequest, caller: Caller, body: _Body
    ) -> Response:
        request, fault = received.request, received.fault
        key = request.headers.get("idempotency-key") if caller.has_api_key else None
        if key is not None:
            replayed = self._idempotency.replay(caller, key, request.method)
            if replayed is not None:
                return replayed
        if fault == "stall_before_commit":
            await self._faults.stalls.hold()
        response = self._handled(received, caller, body)
        if fault == "stall_after_commit":
            await self._faults.stalls.hold()
        # A gateway sends 502 to 504 itself: Invoiced never saw the request and stores nothing.
        gateway_fault = fault == "rate5xx" and self._faults.status5xx != 500
        if key is not None and not gateway_fault:
            self._idempotency.remember(caller, key, response)
        if fault in {"stall_before_commit", "stall_after_commit"}:
            self._faults.stalls.finished()
        return response

    def _handled(self, received: ReceivedRequest, caller: Caller, body: _Body) -> Response:
        """Returns the handler's response or error; both are stored under an idempotency key."""
        request, correlation_id = received.request, received.correlation_id
        try:
            if received.fault == "rate5xx":
                raise server_error(self._faults.status5xx, correlation_id)
            response = self._routed(request, caller, body)
            if received.fault == "fail_after_commit":
                raise server_error(500, correlation_id)
        except ApiError as error:
            return self._error_response(error, correlation_id)
        except Exception:  # noqa: BLE001 - whatever a handler raises is the API's 500
            _LOG.exception("%s %s failed", request.method, request.url.path)
            return self._error_response(server_error(500, correlation_id), correlation_id)
        return response

    def _routed(self, request: Request, caller: Caller, body: _Body) -> Response:
        path, method = request.url.path, request.method
        route, arguments = self._routes.find(method, path)
        self._check_permission(route, caller, method)
        values = query.parse(request.url.query)
        shared = self._shared
        if method == "GET" and shared.on_request is not None:
            shared.on_request(path, values)
        call = Call(
            shared=shared,
            work=UnitOfWork(shared.store, shared.account, shared.clock),
            method=method,
            path=path,
            base=f"{request.url.scheme}://{request.url.netloc}",
            query=values,
            body=body.values,
            arguments=arguments,
            form=body.form,
            accept=request.headers.get("accept", ""),
        )
        if method == "GET":
            return route.handler(call)
        response = _written(route, call)
        if shared.on_write is not None:
            shared.on_write(method, path, response.status)
        return response

    def _check_permission(self, route: Route, caller: Caller, method: str) -> None:
        account = self._shared.account
        if route.feature is not None and route.feature not in account.features:
            raise feature_missing()
        if route.segments[0] in account.forbidden:
            raise forbidden()
        if caller.state == "member_without_permission" and method != "GET":
            raise forbidden()

    def _error_response(self, error: ApiError, correlation_id: str) -> Response:
        if error.status >= 500 and not error.message:
            error = server_error(error.status, correlation_id)
        headers = {}
        retry_after = self._shared.account.retry_after
        if retry_after is not None and error.status in {429, 503}:
            headers["Retry-After"] = str(retry_after)
        response = json_response(error.status, error.body())
        return Response(response.status, response.body, headers)


def _written(route: Route, call: Call) -> Response:
    if not route.atomic:
        return route.handler(call)
    with call.shared.store.transaction():
        response = route.handler(call)
        call.work.finish()
    return response


def _parsed_body(request: Request, raw: bytes) -> _Body:
    content_type = request.headers.get("content-type", "")
    if content_type.startswith("application/x-www-form-urlencoded"):
        return _Body(query.parse(raw.decode(errors="replace")), form=True)
    if not raw.strip():
        return _Body({}, form=False)
    try:
        decoded = decode(raw)
    except msgspec.DecodeError as error:
        raise syntax_error() from error
    return _Body(decoded if isinstance(decoded, dict) else {}, form=False)
