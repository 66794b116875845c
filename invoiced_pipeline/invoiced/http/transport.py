"""The connections to the API: certificates, authentication, timeouts and proxy."""

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
"""Connections kept open: as many as the API serves requests in parallel."""

_UNREACHABLE: dict[type[HTTPError], str] = {
    NameResolutionError: "its name is unknown",
    NewConnectionError: "the connection was refused",
    ConnectTimeoutError: "there was no response in time",
}
"""The order matters: later classes are base classes of earlier ones."""


def connection_pool(
    base_url: str,
    api_key: SecretStr,
    *,
    connect_seconds: float,
    read_seconds: float,
    proxy: SecretStr | None = None,
) -> urllib3.PoolManager:
    """Returns connections that send the API key with every request, and never retry one.

    Args:
        base_url: Scheme and host of the API.
        api_key: Sent as the user name of HTTP Basic, without a password.
        connect_seconds: Timeout of opening a connection.
        read_seconds: Timeout of waiting for the next bytes of a response.
        proxy: Address of a proxy, which may contain credentials.
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


def no_response(
    error: HTTPError, base_url: str, *, path: str, proxy: SecretStr | None = None
) -> TransientApiError:
    """Returns the error for a request without a complete response, which names what failed.

    Args:
        error: urllib3's error.
        base_url: Scheme and host of the API.
        path: Path of the request.
        proxy: Address of the proxy; its credentials are not shown.
    """
    host, settings = urlsplit(base_url).netloc, "network, proxy and api_url"
    if isinstance(error, ProxyError) and proxy is not None:
        host, settings = f"{host} through the proxy {_host(proxy)}", "the setting proxy"
        cause = error.original_error  # of the connection to the proxy, or the proxy's response
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
    """Returns host and port, without the credentials."""
    return urlsplit(proxy.get_secret_value()).netloc.rpartition("@")[2]


def _tls_context() -> ssl.SSLContext:
    """Trusts the system's certificates, such as a company's own, and the public ones."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
