"""Answers of the API, POSTed to the URL of the setting `response_url`.

A failure is told and nothing else: the answers are in `_writeback_responses`, and no record is ever
sent again for it. No credential of ours goes there.
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

from invoiced_pipeline.writeback.ledger.responses import Response

logger = logging.getLogger(__name__)

_AT_ONCE = 4
_TIME_OUT = urllib3.Timeout(connect=5.0, read=10.0)
_MOST_FAILURES = 5
"""Failures after which the receiver is taken to be down."""


def deliver_answers(url: str, answers: Sequence[Response]) -> str | None:
    """POSTs every answer as JSON, its columns as of `_writeback_responses`.

    Redirects are not followed, and addresses of the machine's own network link, such as the
    metadata service of a cloud, are not spoken to.

    Returns:
        What a person should know when some did not arrive; None when all did.
    """
    host = urlsplit(url).hostname or ""
    try:
        receiver = _Receiver(url)
    except OSError as error:
        return _told(host, len(answers), str(error))
    with ThreadPoolExecutor(_AT_ONCE) as executor:
        failures = [each for each in executor.map(receiver.post, answers) if each]
    receiver.close()
    return _told(host, len(failures), failures[0]) if failures else None


class _Receiver:
    """Connections to the one address that was looked at."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        secure = parts.scheme == "https"
        host, port = parts.hostname or "", parts.port or (443 if secure else 80)
        address = _address(host, port)
        netloc = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        options = {}
        if secure:
            context = ssl.create_default_context()
            context.load_verify_locations(certifi.where())
            # The address is fixed, the certificate is still the name's.
            options = {"ssl_context": context, "server_hostname": host, "assert_hostname": host}
        self._pool = urllib3.connection_from_url(
            f"{parts.scheme}://{netloc}", maxsize=_AT_ONCE, timeout=_TIME_OUT, **options
        )
        self._target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        shown = f"[{host}]" if ":" in host else host
        self._headers = {
            "Host": f"{shown}:{parts.port}" if parts.port else shown,
            "Content-Type": "application/json",
            "User-Agent": "invoiced-pipeline",
        }
        self._failures = 0

    def post(self, answer: Response) -> str | None:
        """Sends one answer; why it did not arrive."""
        if self._failures >= _MOST_FAILURES:
            return f"not tried after {_MOST_FAILURES} failures"
        body = json.dumps(asdict(answer), default=str).encode()
        try:
            response = self._pool.request(
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
        if 200 <= response.status < 300:
            return None
        self._failures += 1
        return f"it answered {response.status}"

    def close(self) -> None:
        self._pool.close()


def _address(host: str, port: int) -> str:
    """The address of a host that may be spoken to.

    Raises:
        OSError: There is none.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    for *_, place in found:
        address = ip_address(str(place[0]).partition("%")[0])
        if not (address.is_link_local or address.is_multicast or address.is_unspecified):
            return str(address)
    message = "its address is of the machine's own network link, which is not spoken to"
    raise OSError(message)


def _told(host: str, count: int, why: str) -> str:
    note = (
        f"{count} answers did not reach response_url ({host}): {why}. They are in "
        "_writeback_responses; no record is sent again for it"
    )
    logger.warning(note)
    return note
