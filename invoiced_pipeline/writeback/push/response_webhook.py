"""The API's responses, POSTed to the URL of the setting `response_url`.

A failed delivery is reported and nothing else: the responses are in `_writeback_responses`, and no
record is sent again. The receiver gets no credentials.
"""

import json
import logging
import socket
import ssl
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from ipaddress import ip_address
from urllib.parse import urlsplit

import certifi
import urllib3

from invoiced_pipeline.plurals import counted
from invoiced_pipeline.writeback.ledger.responses import StoredResponse

logger = logging.getLogger(__name__)

_AT_ONCE = 4
_TIME_OUT = urllib3.Timeout(connect=5.0, read=10.0)
_MAX_FAILURES = 5
"""Failures after which the receiver counts as down."""


def deliver_responses(url: str, responses: Sequence[StoredResponse]) -> str | None:
    """POSTs every response as JSON, with the columns of `_writeback_responses`.

    Redirects are not followed. Link-local addresses, such as a cloud's metadata service, are not
    contacted.

    Returns:
        What a person should know when some did not arrive; None when all did.
    """
    host = urlsplit(url).hostname or ""
    try:
        receiver = _Receiver(url)
    except OSError as error:
        return _log_failures(host, len(responses), str(error))
    with ThreadPoolExecutor(_AT_ONCE) as executor:
        failures = [each for each in executor.map(receiver.post, responses) if each]
    receiver.close()
    return _log_failures(host, len(failures), failures[0]) if failures else None


class _Receiver:
    """Connections to the receiver, at the address that was checked.

    Raises:
        OSError: The host has no address that may be contacted.
    """

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        is_https = parts.scheme == "https"
        host, port = parts.hostname or "", parts.port or (443 if is_https else 80)
        address = _allowed_address(host, port)
        netloc = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        options = {}
        if is_https:
            context = ssl.create_default_context()
            context.load_verify_locations(certifi.where())
            # The connection goes to the checked address; the certificate must be the host's.
            options = {"ssl_context": context, "server_hostname": host, "assert_hostname": host}
        self._pool = urllib3.connection_from_url(
            f"{parts.scheme}://{netloc}", maxsize=_AT_ONCE, timeout=_TIME_OUT, **options
        )
        self._target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        name = f"[{host}]" if ":" in host else host
        self._headers = {
            "Host": f"{name}:{parts.port}" if parts.port else name,
            "Content-Type": "application/json",
            "User-Agent": "invoiced-pipeline",
        }
        self._failures = 0

    def post(self, response: StoredResponse) -> str | None:
        """Sends one response; returns why it did not arrive, None where it did."""
        if self._failures >= _MAX_FAILURES:
            return f"not tried after {_MAX_FAILURES} failures"
        body = json.dumps(asdict(response), default=str).encode()
        try:
            reply = self._pool.request(
                "POST",
                self._target,
                body=body,
                headers=self._headers,
                redirect=False,
                retries=False,
            )
        except urllib3.exceptions.HTTPError as error:
            self._failures += 1
            return type(error).__name__
        if 200 <= reply.status < 300:
            return None
        self._failures += 1
        return f"it answered {reply.status}"

    def close(self) -> None:
        """Closes all connections."""
        self._pool.close()


def _allowed_address(host: str, port: int) -> str:
    """Resolves a host to an address that may be contacted.

    Raises:
        OSError: There is none.
    """
    for *_, place in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        address = ip_address(str(place[0]).partition("%")[0])
        if not (address.is_link_local or address.is_multicast or address.is_unspecified):
            return str(address)
    message = "its address is link-local, multicast or unspecified, and is not contacted"
    raise OSError(message)


def _log_failures(host: str, count: int, why: str) -> str:
    what = counted(count, "response")
    note = (
        f"{what} did not reach response_url ({host}): {why}. All responses are in "
        "_writeback_responses; no record is sent again"
    )
    logger.warning(note)
    return note
