"""Addresses of the API and of proxies, and their accepted forms."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from pydantic import SecretStr

PRODUCTION_URL = "https://api.invoiced.com"
SANDBOX_URL = "https://api.sandbox.invoiced.com"

API_FORMS = "https://host or http://host:port"
PROXY_FORMS = "http://host:port or https://user:password@host:port"


def is_loopback(url: str) -> bool:
    """Whether `url` points to this machine, like that of the emulator."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def remembered_host(base_url: str) -> str:
    """Returns the host that a dataset remembers; all servers on this machine count as one host."""
    return "localhost" if is_loopback(base_url) else urlsplit(base_url).netloc


def parse_api_url(url: str | None) -> str | None:
    """Parses the address of an API; a blank text means None.

    Raises:
        ValueError: The text is not an address, or contains credentials.
    """
    if not url:
        return None
    if not _is_http(url) or "@" in urlsplit(url).netloc:
        msg = f"not the address of an API. Accepted forms are {API_FORMS}"
        raise ValueError(msg)
    return url.rstrip("/")


def parse_proxy(proxy: SecretStr | None) -> SecretStr | None:
    """Parses the address of a proxy, which may contain credentials; a blank text means None.

    Raises:
        ValueError: The text is not an address; the message does not repeat it.
    """
    if proxy is None or not proxy.get_secret_value().strip():
        return None
    url = proxy.get_secret_value().strip().rstrip("/")
    if not _is_http(url) or urlsplit(url).path:
        msg = f"not the address of a proxy. Accepted forms are {PROXY_FORMS}"
        raise ValueError(msg)
    return SecretStr(url)


def _is_http(url: str) -> bool:
    try:
        parts = urlsplit(url)
        is_plain = parts.port != 0 and not parts.query and not parts.fragment
    except ValueError:  # a port that is not a number, or a broken IPv6 address
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and is_plain
