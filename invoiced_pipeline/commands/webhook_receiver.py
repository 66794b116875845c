"""The HTTP server behind `invoiced-pipeline webhook`; a reverse proxy in front of it adds TLS."""

import hashlib
import hmac
import logging
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import cast

import msgspec
from pydantic import SecretStr

logger = logging.getLogger(__name__)

_MOST_BYTES = 5_000_000
"""An event holds one record: an invoice with 1,000 line items has about 600 kB."""

_MOST_AT_ONCE = 20
"""Requests at a time; Invoiced sends at most 5 (observed)."""

_SECONDS = 10
"""How long a client may let the server wait for its next bytes."""


class _Event(msgspec.Struct):
    type: str


@dataclass(frozen=True, slots=True)
class Hook:
    """A webhook in Invoiced.

    Attributes:
        secret: With which Invoiced signs each request.
        take: Called with the type of each event; must return at once, for Invoiced waits.
    """

    secret: SecretStr
    take: Callable[[str], None]


class WebhookReceiver(ThreadingHTTPServer):
    """Accepts signed events at `POST /<dataset>`.

    Args:
        address: Host and port.
        hooks: The webhook of every dataset.
    """

    daemon_threads = True

    def __init__(self, address: tuple[str, int], hooks: Mapping[str, Hook]) -> None:
        self.hooks = hooks
        self._places = threading.BoundedSemaphore(_MOST_AT_ONCE)
        super().__init__(address, _Handler)

    def process_request(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Handles a request in a thread, unless too many are being handled."""
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)  # pyright: ignore[reportArgumentType]
        else:
            self.shutdown_request(request)

    def process_request_thread(
        self, request: socket.socket | tuple[bytes, socket.socket], client_address: object
    ) -> None:
        """Handles a request, and makes room for the next."""
        try:
            super().process_request_thread(request, client_address)  # pyright: ignore[reportArgumentType]
        finally:
            self._places.release()

    def handle_error(
        self,
        request: socket.socket | tuple[bytes, socket.socket],  # noqa: ARG002 - the base's
        client_address: object,
    ) -> None:
        """Logs a connection that broke off in a line, and a mistake of ours with its traceback."""
        logger.info("%s: no answer was sent", client_address, exc_info=_is_ours(sys.exception()))


def _is_ours(error: BaseException | None) -> bool:
    return not isinstance(error, OSError)


class _Handler(BaseHTTPRequestHandler):
    timeout = _SECONDS

    def do_POST(self) -> None:
        status = self._status()
        self.send_response(status)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _status(self) -> HTTPStatus:
        hook = cast(WebhookReceiver, self.server).hooks.get(self.path.strip("/"))
        if hook is None:
            return HTTPStatus.NOT_FOUND
        length = self.headers.get("Content-Length", "")
        if not length.isdecimal():
            return HTTPStatus.LENGTH_REQUIRED
        if int(length) > _MOST_BYTES:
            return HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        body = self.rfile.read(int(length))
        if not _is_signed(body, self.headers.get("X-Invoiced-Signature", ""), hook.secret):
            return HTTPStatus.UNAUTHORIZED
        try:
            event = msgspec.json.decode(body, type=_Event)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return HTTPStatus.BAD_REQUEST
        hook.take(event.type)
        return HTTPStatus.NO_CONTENT

    def version_string(self) -> str:
        """Returns nothing that tells the versions of Python and its library."""
        return "invoiced-pipeline"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base's name
        logger.info("%s %s", self.client_address[0], format % args)


def _is_signed(body: bytes, signature: str, secret: SecretStr) -> bool:
    """Whether `signature` is the hexadecimal HMAC-SHA256 of the body (observed)."""
    expected = hmac.new(secret.get_secret_value().encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(expected.encode(), signature.encode("utf-8", "replace"))
