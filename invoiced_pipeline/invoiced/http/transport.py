"""The connections to the API: whom they trust, how they show who asks, how long they wait."""

import ssl
from typing import Any
from urllib.parse import unquote, urlsplit

import certifi
import urllib3
from pydantic import SecretStr
from urllib3.exceptions import (
    ConnectTimeoutError,
    DecodeError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
)

from invoiced_pipeline.exceptions import HostUnreachableError, TransientApiError

_MOST_CONNECTIONS = 20
"""Kept open: as many requests as the API answers at one time."""

_UNREACHABLE: dict[type[HTTPError], str] = {
    NameResolutionError: "its name is unknown",
    NewConnectionError: "the connection was refused",
    ConnectTimeoutError: "there was no answer in time",
}
"""In this order: the later ones are base classes of the earlier."""


def connection_pool(
    base_url: str,
    api_key: SecretStr,
    *,
    connect_seconds: float,
    read_seconds: float,
    proxy: SecretStr | None = None,
) -> urllib3.PoolManager:
    """Connections that send the API key with every request, and never try one again.

    Args:
        base_url: Scheme and host of the API.
        api_key: Sent by HTTP Basic as the user name, without a password.
        connect_seconds: Time-out of making a connection.
        read_seconds: Time-out of waiting for the next bytes of an answer.
        proxy: Address of a proxy that they go through, perhaps with credentials.
    """
    options: dict[str, Any] = {
        "maxsize": _MOST_CONNECTIONS,
        "retries": False,
        "headers": {
            **urllib3.make_headers(basic_auth=f"{api_key.get_secret_value()}:"),
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
            "User-Agent": "invoiced-pipeline",
        },
        "timeout": urllib3.Timeout(connect=connect_seconds, read=read_seconds),
        "ssl_context": _tls_context() if urlsplit(base_url).scheme == "https" else None,
    }
    if proxy is None:
        return urllib3.PoolManager(**options)
    parts = urlsplit(proxy.get_secret_value())
    credentials = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
    return urllib3.ProxyManager(
        f"{parts.scheme}://{_host(proxy)}",
        proxy_headers=urllib3.make_headers(proxy_basic_auth=credentials)
        if parts.username
        else None,
        proxy_ssl_context=_tls_context() if parts.scheme == "https" else None,
        **options,
    )


def no_answer(
    error: HTTPError, base_url: str, *, path: str, proxy: SecretStr | None = None
) -> TransientApiError:
    """The error that stands for a request without a whole answer, naming what broke.

    Args:
        error: What urllib3 says.
        base_url: Scheme and host of the API.
        path: Path of the request.
        proxy: Address of the proxy, whose credentials are not told.
    """
    host, settings = urlsplit(base_url).netloc, "network, proxy and api_url"
    if isinstance(error, ProxyError) and proxy is not None:
        host, settings = f"{host} through the proxy {_host(proxy)}", "the setting proxy"
        cause = error.original_error  # between here and the proxy, or what the proxy said
        if not isinstance(cause, HTTPError):
            message = f"Cannot reach {host}: {cause}. Check {settings}"
            return HostUnreachableError(message, path=path)
        error = cause
    for kind, reason in _UNREACHABLE.items():
        if isinstance(error, kind):
            message = f"Cannot reach {host}: {reason}. Check {settings}"
            return HostUnreachableError(message, path=path)
    what = "unreadable compression" if isinstance(error, DecodeError) else type(error).__name__
    cause = f"the connection failed ({what})"
    return TransientApiError(f"GET {path}: {cause}", path=path, cause=cause)


def _host(proxy: SecretStr) -> str:
    """Host and port, without the credentials."""
    return urlsplit(proxy.get_secret_value()).netloc.rpartition("@")[2]


def _tls_context() -> ssl.SSLContext:
    """Trusts the system's certificates (a company's own among them) and the public ones."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
