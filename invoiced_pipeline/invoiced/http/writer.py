"""Writes to the Invoiced API: what came of one request, and no second one that could double it."""

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

Result = Literal["succeeded", "refused", "ambiguous", "unsent"]
"""What is known of a request.

`succeeded`: the API said so. `refused`: it said no, and did nothing. `ambiguous`: it may have been
carried out, or still be (a lost answer, a time-out, a 5xx). `unsent`: it never reached the API, or
was turned away by its limit on requests in flight (429, which is stored under no key).
"""

TAKES_KEY: frozenset[str] = frozenset({"POST", "PATCH"})
"""Methods that may carry an idempotency key; others are refused with one (observed behaviour)."""

_KEY = re.compile(r"[A-Za-z0-9._-]{6,64}")
_OUR_HEADERS = {"authorization", "content-length", "content-type", "host", "idempotency-key"}
_NEVER_SENT = (NewConnectionError, NameResolutionError, ConnectTimeoutError)


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRequest:
    """One call that changes something.

    Attributes:
        method: The verb.
        path: Path, and query if there is one; the host is the client's own.
        body: JSON; None sends none.
        idempotency_key: Under which the API keeps its answer for a day; POST and PATCH only.
        headers: More headers; those that the client sets itself are refused.
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
class WriteAnswer:
    """What came of a request.

    Attributes:
        result: What is known of it.
        status: HTTP status; None without an answer.
        body: The answer's bytes.
        message: Why it did not succeed, in the API's words or ours; it never holds the API key.
        param: The parameter that the API blames, where it names one.
    """

    result: Result
    status: int | None = None
    body: bytes = field(default=b"", repr=False)
    message: str | None = None
    param: str | None = None


class _UnsentError(Exception):
    """Nothing was done: another try is safe."""

    def __init__(self, answer: WriteAnswer, retry_after: float | None = None) -> None:
        super().__init__(answer.message)
        self.answer = answer
        self.retry_after = retry_after


class InvoicedWriter:
    """Sends writes over a client's connections, within its limit on requests in flight."""

    def __init__(self, client: InvoicedClient) -> None:
        self._client = client

    def send(
        self,
        request: WriteRequest,
        *,
        tally: Tally | None = None,
        on_start: Callable[[], None] | None = None,
    ) -> WriteAnswer:
        """Sends a request, again only while it surely was not carried out.

        Args:
            request: What is sent.
            tally: Where requests, retries and waiting are counted.
            on_start: Called just before every try; what it raises ends the trying.

        Raises:
            AuthenticationError: 401: no other request will fare better.
            AccountInactiveError: 402: likewise.
        """
        counts = tally or Tally()
        try:
            return tenacity.Retrying(
                retry=tenacity.retry_if_exception_type(_UnsentError),
                stop=tenacity.stop_after_attempt(self._client.patience.attempts),
                wait=self._wait,
                before_sleep=lambda state: self._before_sleep(state, counts),
                sleep=self._client.pause,
                reraise=True,
            )(self._try, request, counts, on_start)
        except _UnsentError as unsent:
            return unsent.answer

    def _try(
        self, request: WriteRequest, tally: Tally, on_start: Callable[[], None] | None
    ) -> WriteAnswer:
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
            return self._answer(request, response)
        if lost.result == "unsent":  # raised out here: the cause may repeat headers
            raise _UnsentError(lost)
        return lost

    def _answer(self, request: WriteRequest, response: BaseHTTPResponse) -> WriteAnswer:
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
        said = self._client.hide_key(message or str(error))
        if isinstance(error, RateLimitedError):
            answer = WriteAnswer(result="unsent", status=status, body=body, message=said)
            raise _UnsentError(answer, error.retry_after)
        result: Result = "ambiguous" if status >= 500 else "refused"
        return WriteAnswer(result=result, status=status, body=body, message=said, param=param)

    def _success(self, request: WriteRequest, status: int, body: bytes) -> WriteAnswer:
        self._client.limit.succeeded()
        if body.strip():
            try:
                msgspec.json.decode(shallow(body), type=msgspec.Raw)
            except (msgspec.MsgspecError, UnicodeDecodeError):
                message = f"{request.method} {request.path} answered {status}, but with no JSON"
                return WriteAnswer(result="ambiguous", status=status, message=message)
        return WriteAnswer(result="succeeded", status=status, body=body)

    def _wait(self, state: tenacity.RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, _UnsentError) and error.retry_after is not None:
            return min(error.retry_after, 300.0)
        longest = self._client.patience.longest_wait
        return tenacity.wait_random_exponential(multiplier=0.5, max=longest)(state)

    def _before_sleep(self, state: tenacity.RetryCallState, tally: Tally) -> None:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, _UnsentError) and error.answer.status == 429:
            self._client.limit.lower()
        tally.add(retries=1, wait_seconds=state.next_action.sleep if state.next_action else 0.0)


def _lost(error: HTTPError, request: WriteRequest) -> WriteAnswer:
    what = f"{request.method} {request.path.partition('?')[0]}"
    why = type(error).__name__
    if isinstance(error, _NEVER_SENT):
        message = f"{what} was not sent: no connection could be made ({why})"
        return WriteAnswer(result="unsent", message=message)
    return WriteAnswer(result="ambiguous", message=f"{what}: its answer was lost ({why})")
