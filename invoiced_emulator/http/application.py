"""The HTTP surface: the service's order of checks, its headers, and faults on the way."""

import asyncio
import logging
import os
import secrets
from collections import Counter, deque
from collections.abc import MutableMapping
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, NoReturn

import msgspec
from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from invoiced_emulator.calls.call import Call, Response, SharedState, json_response
from invoiced_emulator.calls.routing import Route, RouteTable
from invoiced_emulator.http.authentication import Caller, KeyState, authenticate
from invoiced_emulator.http.fault_injection import Fault, Faults
from invoiced_emulator.http.idempotency import Idempotency
from invoiced_emulator.http.send import cut, respond, respond_partly
from invoiced_emulator.protocol import query
from invoiced_emulator.protocol.errors import (
    ApiError,
    feature_missing,
    forbidden,
    server_error,
    syntax_error,
    too_many_requests,
)
from invoiced_emulator.protocol.exact_json import decode
from invoiced_emulator.records.unit_of_work import UnitOfWork

_LOG = logging.getLogger(__name__)
_LOGGED_REQUESTS = 10_000

LoggedRequest = tuple[str, str, dict[str, Any], int]
"""Method, path, query parameters and status; status 0 when the connection was cut."""


@dataclass(frozen=True, slots=True)
class _Received:
    """One request as it arrived."""

    request: Request
    raw: bytes
    fault: Fault | None
    correlation_id: str


class Application:
    """The ASGI application of the emulated API.

    Args:
        service: The account and its records.
        routes: What is answered.
        keys: State of every API key; mutable at run time.
        faults: What goes wrong; mutable at run time.
    """

    def __init__(
        self, service: SharedState, routes: RouteTable, keys: dict[str, KeyState], faults: Faults
    ) -> None:
        self.shared = service
        self.routes = routes
        self.keys = keys
        self.faults = faults
        self.requests: deque[LoggedRequest] = deque(maxlen=_LOGGED_REQUESTS)
        self.peak_in_flight = 0
        self._in_flight: Counter[str] = Counter()
        self._idempotency = Idempotency(service.store, service.account, service.clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Response one HTTP request."""
        request = Request(scope, receive)
        raw = await request.body()
        request_id = request.headers.get("x-request-id") or secrets.token_hex(16)
        correlation_id = request.headers.get("x-correlation-id") or request_id
        fault = self.faults.next_fault(request.method, request.url.path)
        try:
            response = await self._answered(_Received(request, raw, fault, correlation_id))
        except ApiError as err:
            response = self._refusal(err, correlation_id)
        cut_off = fault in {"drop_connection", "lose_response"}
        values = query.parse(request.url.query)
        status = 0 if cut_off else response.status
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

    async def _answered(self, received: _Received) -> Response:
        """The answer to a request, by the service's order of checks."""
        request, fault = received.request, received.fault
        body, form = _parsed_body(request, received.raw)
        if request.url.path == "/health":
            # The API has no such path: it tells whoever starts an emulator whose this one is.
            database = self.shared.store.database
            return json_response(
                200, {"status": "ok", "database": database, "process": os.getpid()}
            )
        authorization = request.headers.get("authorization")
        caller = authenticate(authorization, self.keys, self.shared.account)
        self._take_slot(caller, fault)
        try:
            if self.faults.latency_ms:
                await asyncio.sleep(self.faults.latency_ms / 1000)
            if fault == "drop_connection":
                return Response(0)
            return await self._replayed_or_done(received, caller, body, form=form)
        finally:
            self._in_flight[caller.key] -= 1

    def _take_slot(self, caller: Caller, fault: Fault | None) -> None:
        limit = self.shared.account.request_limit
        limited = caller.has_api_key and self._in_flight[caller.key] >= limit
        if limited or fault == "rate429":
            raise too_many_requests(limit)
        self._in_flight[caller.key] += 1
        self.peak_in_flight = max(self.peak_in_flight, self._in_flight.total())

    async def _replayed_or_done(
        self, received: _Received, caller: Caller, body: dict[str, Any], *, form: bool
    ) -> Response:
        request, fault = received.request, received.fault
        key = request.headers.get("idempotency-key") if caller.has_api_key else None
        if key is not None:
            replayed = self._idempotency.replay(caller, key, request.method)
            if replayed is not None:
                return replayed
        if fault == "stall_before_commit":
            await self.faults.stalls.hold()
        response = self._carried_out(received, caller, body, form=form)
        if fault == "stall_after_commit":
            await self.faults.stalls.hold()
        # An error of the gateway never reached the service, which stores its own answers only.
        gateway_fault = fault == "rate5xx" and self.faults.status5xx != 500
        if key is not None and not gateway_fault:
            self._idempotency.remember(caller, key, response)
        if fault in {"stall_before_commit", "stall_after_commit"}:
            self.faults.stalls.finished()
        return response

    def _carried_out(
        self, received: _Received, caller: Caller, body: dict[str, Any], *, form: bool
    ) -> Response:
        request, correlation_id = received.request, received.correlation_id
        try:
            if received.fault == "rate5xx":
                raise server_error(self.faults.status5xx, correlation_id)
            response = self._handled(request, caller, body, form=form)
            if received.fault == "fail_after_commit":
                raise server_error(500, correlation_id)
        except ApiError as err:
            return self._refusal(err, correlation_id)
        except Exception:  # noqa: BLE001 - whatever a handler raises is the API's 500
            _LOG.exception("%s %s failed", request.method, request.url.path)
            return self._refusal(server_error(500, correlation_id), correlation_id)
        return response

    def _handled(
        self, request: Request, caller: Caller, body: dict[str, Any], *, form: bool
    ) -> Response:
        path, method = request.url.path, request.method
        route, arguments = self.routes.find(method, path)
        if route.feature is not None and route.feature not in self.shared.account.features:
            raise feature_missing()
        if route.segments[0] in self.shared.account.forbidden:
            raise forbidden()
        if caller.state == "member_without_permission" and method != "GET":
            raise forbidden()
        values = query.parse(request.url.query)
        if method == "GET" and self.shared.on_request is not None:
            self.shared.on_request(path, values)
        call = Call(
            shared=self.shared,
            work=UnitOfWork(self.shared.store, self.shared.account, self.shared.clock),
            method=method,
            path=path,
            base=f"{request.url.scheme}://{request.url.netloc}",
            query=values,
            body=body,
            arguments=arguments,
            form=form,
            accept=request.headers.get("accept", ""),
        )
        if method == "GET":
            return route.handler(call)
        response = self._written(route, call)
        if self.shared.on_write is not None:
            self.shared.on_write(method, path, response.status)
        return response

    def _written(self, route: Route, call: Call) -> Response:
        if not route.atomic:
            return route.handler(call)
        with self.shared.store.transaction():
            response = route.handler(call)
            call.work.finish()
        return response

    def _refusal(self, err: ApiError, correlation_id: str) -> Response:
        if err.status >= 500 and not err.message:
            err = server_error(err.status, correlation_id)
        headers = {}
        retry_after = self.shared.account.retry_after
        if retry_after is not None and err.status in {429, 503}:
            headers["Retry-After"] = str(retry_after)
        refusal = json_response(err.status, err.body())
        return Response(refusal.status, refusal.body, headers)

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


def _parsed_body(request: Request, raw: bytes) -> tuple[dict[str, Any], bool]:
    """The body as a dict, and whether it came form-encoded."""
    content_type = request.headers.get("content-type", "")
    if content_type.startswith("application/x-www-form-urlencoded"):
        return query.parse(raw.decode(errors="replace")), True
    if not raw.strip():
        return {}, False
    try:
        decoded = decode(raw)
    except msgspec.DecodeError:
        _refuse_syntax()
    return (decoded, False) if isinstance(decoded, dict) else ({}, False)


def _refuse_syntax() -> NoReturn:
    raise syntax_error() from None
