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

from invoiced_emulator.calls.call import Answer, Call, Service, answer
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
from invoiced_emulator.records.unit_of_work import Work

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
        self, service: Service, routes: RouteTable, keys: dict[str, KeyState], faults: Faults
    ) -> None:
        self.service = service
        self.routes = routes
        self.keys = keys
        self.faults = faults
        self.requests: deque[LoggedRequest] = deque(maxlen=_LOGGED_REQUESTS)
        self.peak_in_flight = 0
        self._in_flight: Counter[str] = Counter()
        self._idempotency = Idempotency(service.store, service.account, service.clock)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        request = Request(scope, receive)
        raw = await request.body()
        request_id = request.headers.get("x-request-id") or secrets.token_hex(16)
        correlation_id = request.headers.get("x-correlation-id") or request_id
        fault = self.faults.drawn(request.method, request.url.path)
        try:
            given = await self._answered(_Received(request, raw, fault, correlation_id))
        except ApiError as err:
            given = self._refusal(err, correlation_id)
        cut_off = fault in {"drop_connection", "lose_response"}
        values = query.parse(request.url.query)
        status = 0 if cut_off else given.status
        self.requests.append((request.method, request.url.path, values, status))
        if cut_off:
            await cut(send)
            return
        if given.body and request.headers.get("user-agent", "").startswith("curl"):
            pretty = msgspec.json.format(given.body, indent=4)
            given = Answer(given.status, pretty, given.headers)
        if fault == "replace_body":
            given = Answer(given.status, self.faults.body, given.headers)
        headers = self._headers(request, given, request_id, correlation_id)
        sender = respond_partly if fault == "truncate_body" else respond
        await sender(send, given, headers)

    async def _answered(self, received: _Received) -> Answer:
        """The answer to a request, by the service's order of checks."""
        request, fault = received.request, received.fault
        body, form = _parsed_body(request, received.raw)
        if request.url.path == "/health":
            # The API has no such path: it tells whoever starts an emulator whose this one is.
            database = self.service.store.database
            return answer(200, {"status": "ok", "database": database, "process": os.getpid()})
        authorization = request.headers.get("authorization")
        caller = authenticate(authorization, self.keys, self.service.account)
        self._take_slot(caller, fault)
        try:
            if self.faults.latency_ms:
                await asyncio.sleep(self.faults.latency_ms / 1000)
            if fault == "drop_connection":
                return Answer(0)
            return await self._replayed_or_done(received, caller, body, form=form)
        finally:
            self._in_flight[caller.key] -= 1

    def _take_slot(self, caller: Caller, fault: Fault | None) -> None:
        limit = self.service.account.request_limit
        limited = caller.has_api_key and self._in_flight[caller.key] >= limit
        if limited or fault == "rate429":
            raise too_many_requests(limit)
        self._in_flight[caller.key] += 1
        self.peak_in_flight = max(self.peak_in_flight, self._in_flight.total())

    async def _replayed_or_done(
        self, received: _Received, caller: Caller, body: dict[str, Any], *, form: bool
    ) -> Answer:
        request, fault = received.request, received.fault
        key = request.headers.get("idempotency-key") if caller.has_api_key else None
        if key is not None:
            replayed = self._idempotency.replay(caller, key, request.method)
            if replayed is not None:
                return replayed
        if fault == "stall_before_commit":
            await self.faults.stalls.hold()
        given = self._carried_out(received, caller, body, form=form)
        if fault == "stall_after_commit":
            await self.faults.stalls.hold()
        # An error of the gateway never reached the service, which stores its own answers only.
        gateway_fault = fault == "rate5xx" and self.faults.status5xx != 500
        if key is not None and not gateway_fault:
            self._idempotency.remember(caller, key, given)
        if fault in {"stall_before_commit", "stall_after_commit"}:
            self.faults.stalls.finished()
        return given

    def _carried_out(
        self, received: _Received, caller: Caller, body: dict[str, Any], *, form: bool
    ) -> Answer:
        request, correlation_id = received.request, received.correlation_id
        try:
            if received.fault == "rate5xx":
                raise server_error(self.faults.status5xx, correlation_id)
            given = self._handled(request, caller, body, form=form)
            if received.fault == "fail_after_commit":
                raise server_error(500, correlation_id)
        except ApiError as err:
            return self._refusal(err, correlation_id)
        except Exception:  # noqa: BLE001 - whatever a handler raises is the API's 500
            _LOG.exception("%s %s failed", request.method, request.url.path)
            return self._refusal(server_error(500, correlation_id), correlation_id)
        return given

    def _handled(
        self, request: Request, caller: Caller, body: dict[str, Any], *, form: bool
    ) -> Answer:
        path, method = request.url.path, request.method
        route, arguments = self.routes.find(method, path)
        if route.feature is not None and route.feature not in self.service.account.features:
            raise feature_missing()
        if route.segments[0] in self.service.account.forbidden:
            raise forbidden()
        if caller.state == "member_without_permission" and method != "GET":
            raise forbidden()
        values = query.parse(request.url.query)
        if method == "GET" and self.service.on_request is not None:
            self.service.on_request(path, values)
        call = Call(
            service=self.service,
            work=Work(self.service.store, self.service.account, self.service.clock),
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
        given = self._written(route, call)
        if self.service.on_write is not None:
            self.service.on_write(method, path, given.status)
        return given

    def _written(self, route: Route, call: Call) -> Answer:
        if not route.atomic:
            return route.handler(call)
        with self.service.store.transaction():
            given = route.handler(call)
            call.work.finish()
        return given

    def _refusal(self, err: ApiError, correlation_id: str) -> Answer:
        if err.status >= 500 and not err.message:
            err = server_error(err.status, correlation_id)
        headers = {}
        retry_after = self.service.account.retry_after
        if retry_after is not None and err.status in {429, 503}:
            headers["Retry-After"] = str(retry_after)
        refusal = answer(err.status, err.body())
        return Answer(refusal.status, refusal.body, headers)

    def _headers(
        self, request: Request, given: Answer, request_id: str, correlation_id: str
    ) -> MutableMapping[str, str]:
        headers = {
            "Cache-Control": "no-cache, no-store",
            "X-Request-Id": request_id,
            "X-Correlation-Id": correlation_id,
            **given.headers,
        }
        if "x-app-version" not in request.headers:
            headers["WWW-Authenticate"] = 'Basic realm="Invoiced"'
        if self.service.account.date_header:
            headers["Date"] = formatdate(self.service.clock.now(), usegmt=True)
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
