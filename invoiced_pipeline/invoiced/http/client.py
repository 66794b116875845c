"""The client of the Invoiced API: Basic auth, limited retries of reads, requests in flight."""

import logging
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import urlencode

import tenacity
import urllib3
from pydantic import SecretStr
from urllib3.exceptions import HTTPError

from invoiced_pipeline.exceptions import (
    ApiError,
    HostUnreachableError,
    NoSuchListError,
    RateLimitedError,
    RequestRefusedError,
    TransientApiError,
)
from invoiced_pipeline.invoiced.http.in_flight_limit import shared_limit
from invoiced_pipeline.invoiced.http.responses import (
    check_list_body,
    check_record_body,
    error_for,
    is_object,
    server_time,
)
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.http.transport import connection_pool, no_response
from invoiced_pipeline.settings import REQUESTS_IN_FLIGHT

logger = logging.getLogger(__name__)

Params = tuple[tuple[str, str], ...]
Check = Callable[[bytes, str], None]


@dataclass(frozen=True, slots=True)
class ListResponse:
    """The response of a list endpoint.

    Attributes:
        body: A JSON array.
        total: X-Total-Count, the number of matching records; None if not sent.
        server_time: The Date header in UTC; None if not sent.
    """

    body: bytes
    total: int | None
    server_time: datetime | None


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often a request is tried, and when a try times out.

    Attributes:
        attempts: Tries of one request, including the first.
        longest_wait: Longest wait between two tries, in seconds.
        connect_seconds: Timeout of opening a connection.
        read_seconds: Timeout of waiting for the next bytes of a response.
    """

    attempts: int = 8
    longest_wait: float = 30.0
    connect_seconds: float = 10.0
    read_seconds: float = 60.0


class InvoicedClient:
    """Reads from one Invoiced account. Its repr shows the host, never the key.

    Args:
        base_url: Scheme and host of the API.
        api_key: The API key.
        requests_in_flight: Requests at a time; all clients with the same key share them.
        retry_policy: How often a request is tried.
        proxy: Address of a proxy, which may contain credentials.
    """

    def __init__(
        self,
        base_url: str,
        api_key: SecretStr,
        *,
        requests_in_flight: int = REQUESTS_IN_FLIGHT,
        retry_policy: RetryPolicy | None = None,
        proxy: SecretStr | None = None,
    ) -> None:
        self.base_url = base_url
        self.limit = shared_limit(base_url, api_key, requests_in_flight)
        self.retry_policy = retry_policy or RetryPolicy()
        self._closed = threading.Event()
        self._api_key = api_key
        self._proxy = proxy
        self._pool = connection_pool(
            base_url,
            api_key,
            connect_seconds=self.retry_policy.connect_seconds,
            read_seconds=self.retry_policy.read_seconds,
            proxy=proxy,
        )

    def __repr__(self) -> str:
        return f"InvoicedClient({self.base_url!r})"

    def close(self) -> None:
        """Closes all connections; requests that wait for a retry fail at once."""
        self._closed.set()
        self._pool.clear()

    def list_page(self, path: str, params: Params, tally: Tally | None = None) -> ListResponse:
        """Fetches one page of a list; retries transient errors.

        Args:
            path: Path of the endpoint, e.g. `/invoices`; the host is always the client's own.
            params: Query parameters, in the order in which they are sent.
            tally: Counts requests, retries and waiting.

        Raises:
            ApiError: The subclass says what to do; the text never contains the key.
        """
        return self._get_with_retries(path, params, tally or Tally(), check_list_body)

    def record(self, path: str, params: Params, tally: Tally | None = None) -> bytes | None:
        """Fetches one object as JSON, e.g. `/estimates/12`; None if the API does not have it.

        Raises:
            ApiError: As of `list_page`.
        """
        try:
            return self._get_with_retries(path, params, tally or Tally(), check_record_body).body
        except RequestRefusedError as error:
            # An unknown path is also a 404, with another message (observed).
            if error.status == 404 and "was not found" in str(error):
                return None
            raise

    def exchange(  # noqa: PLR0913 - the parts of a request, by name
        self,
        method: str,
        target: str,
        *,
        tally: Tally,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        on_start: Callable[[], None] | None = None,
    ) -> urllib3.BaseHTTPResponse:
        """Sends one request within the limit, and returns the response, whatever its status.

        Args:
            method: The HTTP method.
            target: Path and query.
            tally: Counts the request.
            body: The body.
            headers: Headers in addition to those of every request.
            on_start: Called just before sending; nothing is sent if it raises.

        Raises:
            HTTPError: There is no complete response; urllib3's subclasses say why.
        """
        sent = {**self._pool.headers, **(headers or {})}
        with self.limit.slot():
            if on_start is not None:
                on_start()
            began = time.monotonic()
            try:
                return self._pool.request(
                    method, f"{self.base_url}{target}", body=body, headers=sent, redirect=False
                )
            finally:
                tally.add(requests=1, wait_seconds=time.monotonic() - began)

    def _get_with_retries(
        self, path: str, params: Params, tally: Tally, check: Check
    ) -> ListResponse:
        try:
            return tenacity.Retrying(
                retry=tenacity.retry_if_exception_type(TransientApiError),
                stop=tenacity.stop_after_attempt(self.retry_policy.attempts),
                wait=self._wait,
                before_sleep=lambda state: self._announce_retry(state, tally),
                sleep=self.pause,
                reraise=True,
            )(self._get_once, path, params, tally, check)
        except TransientApiError as error:
            self._count_tries(error)
            raise

    def _count_tries(self, error: TransientApiError) -> None:
        """Adds the number of tries to an error, and what to do next."""
        tries, text = self.retry_policy.attempts, str(error)
        if tries > 1:
            text = f"{text} ({tries} tries)"
            error.cause = f"{error.cause} ({tries} tries each)"
        if not isinstance(error, HostUnreachableError):  # its text already says what to check
            text, error.cause = f"{text}; try again later", f"{error.cause}; try again later"
        error.args = (text,)

    def _get_once(self, path: str, params: Params, tally: Tally, check: Check) -> ListResponse:
        if self._closed.is_set():
            message = f"GET {path}: the client was closed"
            raise RequestRefusedError(message, path=path)
        try:
            response = self.exchange("GET", f"{path}?{urlencode(params)}", tally=tally)
        except HTTPError as error:
            # Its cause is not chained, because it may contain headers.
            raise no_response(error, self.base_url, path=path, proxy=self._proxy) from None
        headers = response.headers
        if response.status != 200:
            error = error_for(
                response.status,
                response.data,
                path=path,
                location=headers.get("Location"),
                retry_after=headers.get("Retry-After"),
            )
            if response.status == 404 and check is check_list_body and is_object(response.data):
                error = NoSuchListError(str(error), path=path, status=404, cause=error.cause)
            raise self._without_key(error)
        check(response.data, path)
        self.limit.succeeded()
        total = headers.get("X-Total-Count", "")
        return ListResponse(
            body=response.data,
            total=int(total) if total.isdigit() else None,
            server_time=server_time(headers.get("Date")),
        )

    def pause(self, seconds: float) -> None:
        """Waits before a retry, or until the client is closed."""
        self._closed.wait(seconds)

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """Returns seconds before the next try: the server's Retry-After, else a growing random."""
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, TransientApiError) and error.retry_after is not None:
            return min(error.retry_after, 300.0)
        backoff = tenacity.wait_random_exponential(
            multiplier=0.5, max=self.retry_policy.longest_wait
        )
        return backoff(state)

    def _announce_retry(self, state: tenacity.RetryCallState, tally: Tally) -> None:
        error = state.outcome.exception() if state.outcome else None
        wait = state.next_action.sleep if state.next_action else 0.0
        path, cause = "", error
        if isinstance(error, ApiError):
            path, cause = error.path, error.cause
        if isinstance(error, RateLimitedError):
            self.limit.lower()
        tally.add(retries=1, wait_seconds=wait)
        logger.warning(
            "GET %s: %s. Try %d of %d in %.1f s",
            path,
            cause,
            state.attempt_number + 1,
            self.retry_policy.attempts,
            wait,
        )

    def _without_key(self, error: ApiError) -> ApiError:
        error.args = tuple(self.hide_key(str(arg)) for arg in error.args)
        error.cause = self.hide_key(error.cause)
        return error

    def hide_key(self, text: str) -> str:
        """Returns the text without the API key, which a server may have repeated in it."""
        key = self._api_key.get_secret_value()
        return text.replace(key, "(hidden)") if key else text
