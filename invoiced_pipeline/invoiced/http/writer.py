"""Writes to the Invoiced API: one request and its result; no retry can double it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import msgspec
import tenacity
from urllib3 import BaseHTTPResponse
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
)

from invoiced_pipeline.exceptions import RateLimitedError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.http.responses import (
    error_details,
    error_for,
)
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.nesting import shallow

Method = Literal["POST", "PUT", "PATCH", "DELETE"]

ResultKind = Literal["succeeded", "refused", "ambiguous", "unsent"]
"""What is known about a request.

`succeeded`: the API returned 2xx. `refused`: it returned 4xx, and did nothing. `ambiguous`: the
request may have been carried out, or may still be (a lost response, a time-out, a 5xx). `unsent`:
it never reached the API, or exceeded its limit on requests in flight (429, which the API stores
under no idempotency key).
"""

TAKES_KEY: frozenset[str] = frozenset({"POST", "PATCH"})
"""Methods that take an idempotency key; the API refuses others with one (observed behaviour)."""

_KEY = re.compile(r"[A-Za-z0-9._-]{6,64}")
_OUR_HEADERS = {"authorization", "content-length", "content-type", "host", "idempotency-key"}
_NEVER_SENT = (NewConnectionError, NameResolutionError, ConnectTimeoutError)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRequest:
    """A request that changes something.

    Attributes:
        method: The HTTP method.
        path: Path, with the query if there is one; the host is the client's.
        body: JSON; None for no body.
        idempotency_key: Key under which the API stores its response for a day; POST and PATCH only.
        headers: Extra headers.

    Raises:
        ValueError: The method takes no key, the key has a wrong form, or a header is one that the
            client sets itself.
    """

    method: Method
    path: str
    body: bytes | None = field(default=None, repr=False)
    idempotency_key: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.idempotency_key is not None:
            if self.method not in TAKES_KEY:
                msg = f"{self.method} takes no idempotency key"
                raise ValueError(msg)
            if not _KEY.fullmatch(self.idempotency_key):
                msg = "an idempotency key has 6 to 64 characters of A-Z a-z 0-9 . _ -"
                raise ValueError(msg)
        taken = _OUR_HEADERS & {name.lower() for name in self.headers}
        if taken:
            msg = f"the client sets these headers itself: {', '.join(sorted(taken))}"
            raise ValueError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteResult:
    """The result of a request.

    Attributes:
        kind: What is known about the request.
        status: HTTP status; None without a response.
        body: The response's bytes.
        message: Why it did not succeed, in the API's words or ours; it never holds the API key.
        param: The parameter that the API blames; None where it names none.
    """

    kind: ResultKind
    status: int | None = None
    body: bytes = field(default=b"", repr=False)
    message: str | None = None
    param: str | None = None


class _UnsentError(Exception):
    """The request was not carried out: another attempt is safe."""

    def __init__(self, result: WriteResult, retry_after: float | None = None) -> None:
        super().__init__(result.message)
        self.result = result
        self.retry_after = retry_after


class InvoicedWriter:
    """Sends writes through a client, within its limit on requests in flight."""

    def __init__(self, client: InvoicedClient) -> None:
        self._client = client

    def send(
        self,
        request: WriteRequest,
        *,
        tally: Tally | None = None,
        on_start: Callable[[], None] | None = None,
    ) -> WriteResult:
        """Sends a request; repeats it only while it surely was not carried out.

        Args:
            request: The request.
            tally: Counts requests, retries and waiting.
            on_start: Called just before every attempt; an exception from it ends the attempts.

        Raises:
            AuthenticationError: 401: every other request would fail, too.
            AccountInactiveError: 402: every other request would fail, too.
        """
        counts = tally or Tally()
        try:
            return tenacity.Retrying(
                retry=tenacity.retry_if_exception_type(_UnsentError),
                stop=tenacity.stop_after_attempt(self._client.retry_policy.attempts),
                wait=self._wait,
                before_sleep=lambda state: self._before_sleep(state, counts),
                sleep=self._client.pause,
                reraise=True,
            )(self._try, request, counts, on_start)
        except _UnsentError as unsent:
            return unsent.result

    def _try(
        self, request: WriteRequest, tally: Tally, on_start: Callable[[], None] | None
    ) -> WriteResult:
        headers = dict(request.headers)
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        if request.idempotency_key is not None:
            headers["Idempotency-Key"] = request.idempotency_key
        try:
            response = self._client.exchange(
                request.method,
                request.path,
                tally=tally,
                body=request.body,
                headers=headers,
                on_start=on_start,
            )
        except HTTPError as error:
            lost = _lost(error, request)
        else:
            return self._result(request, response)
        if lost.kind == "unsent":  # raised outside of `except`: the cause may repeat headers
            raise _UnsentError(lost)
        return lost

    def _result(self, request: WriteRequest, response: BaseHTTPResponse) -> WriteResult:
        status, body = response.status, response.data
        if 200 <= status < 300:
            return self._success(request, status, body)
        error = error_for(
            status,
            body,
            path=request.path.partition("?")[0],
            location=response.headers.get("Location"),
            retry_after=response.headers.get("Retry-After"),
            method=request.method,
        )
        if status in {401, 402}:
            error.args = (self._client.hide_key(str(error)),)
            error.cause = self._client.hide_key(error.cause)
            raise error
        message, param = error_details(body)
        text = self._client.hide_key(message or str(error))
        if isinstance(error, RateLimitedError):
            result = WriteResult(kind="unsent", status=status, body=body, message=text)
            raise _UnsentError(result, error.retry_after)
        kind: ResultKind = "ambiguous" if status >= 500 else "refused"
        return WriteResult(kind=kind, status=status, body=body, message=text, param=param)

    def _success(self, request: WriteRequest, status: int, body: bytes) -> WriteResult:
        self._client.limit.succeeded()
        if body.strip():
            try:
                msgspec.json.decode(shallow(body), type=msgspec.Raw)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                message = f"{request.method} {request.path} answered {status}, but not with JSON"
                return WriteResult(kind="ambiguous", status=status, message=message)
        return WriteResult(kind="succeeded", status=status, body=body)

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, _UnsentError) and error.retry_after is not None:
            return min(error.retry_after, 300.0)
        longest = self._client.retry_policy.longest_wait
        return tenacity.wait_random_exponential(multiplier=0.5, max=longest)(state)

    def _before_sleep(self, state: tenacity.RetryCallState, tally: Tally) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, _UnsentError) and error.result.status == 429:
            self._client.limit.lower()
        tally.add(retries=1, wait_seconds=state.next_action.sleep if state.next_action else 0.0)


def _lost(error: HTTPError, request: WriteRequest) -> WriteResult:
    what = f"{request.method} {request.path.partition('?')[0]}"
    why = type(error).__name__
    if isinstance(error, _NEVER_SENT):
        message = f"{what} was not sent: the connection failed ({why})"
        return WriteResult(kind="unsent", message=message)
    return WriteResult(kind="ambiguous", message=f"{what}: the response was lost ({why})")
