"""The connections to the API: whom they trust, how they show who asks, how long they wait."""

import ssl
from urllib.parse import urlsplit

import certifi
import urllib3
from pydantic import SecretStr

_MOST_CONNECTIONS = 20
"""Kept open: as many requests as the API answers at one time."""


def connection_pool(
    base_url: str, api_key: SecretStr, *, connect_seconds: float, read_seconds: float
) -> urllib3.PoolManager:
    """Connections that send the API key with every request, and never try one again.

    Args:
        base_url: Scheme and host of the API.
        api_key: Sent by HTTP Basic as the user name, without a password.
        connect_seconds: Time-out of making a connection.
        read_seconds: Time-out of waiting for the next bytes of an answer.
    """
    return urllib3.PoolManager(
        maxsize=_MOST_CONNECTIONS,
        retries=False,
        headers={
            **urllib3.make_headers(basic_auth=f"{api_key.get_secret_value()}:"),
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "invoiced-pipeline",
        },
        timeout=urllib3.Timeout(connect=connect_seconds, read=read_seconds),
        ssl_context=_tls_context() if urlsplit(base_url).scheme == "https" else None,
    )


def _tls_context() -> ssl.SSLContext:
    """Trusts the system's certificates (a company's own among them) and the public ones."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
