"""Addresses of the API and of proxies: their accepted forms."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from pydantic import SecretStr

PRODUCTION_URL = "https://api.invoiced.com"
SANDBOX_URL = "https://api.sandbox.invoiced.com"

API_FORMS = "https://host or http://host:port"
PROXY_FORMS = "http://host:port or https://user:password@host:port"


def is_loopback(url: str) -> bool:
    """Whether `url` points to this machine, as the local emulator does."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def remembered_host(base_url: str) -> str:
    """What a dataset remembers of a URL: its host; servers of this machine count as one."""
    return "localhost" if is_loopback(base_url) else urlsplit(base_url).netloc


def parse_api_url(url: str | None) -> str | None:
    """Reads the address of an API; blank means none.

    Raises:
        ValueError: It is none, or it holds credentials.
    """
    if not url:
        return None
    if not _is_http(url) or "@" in urlsplit(url).netloc:
        msg = f"not such an address. Accepted form is {API_FORMS}"
        raise ValueError(msg)
    return url.rstrip("/")


def parse_proxy(proxy: SecretStr | None) -> SecretStr | None:
    """Reads the address of a proxy, which may hold credentials; blank means none.

    Raises:
        ValueError: It is none; the text does not repeat it.
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
    except ValueError:  # a port that is no number, or half of an IPv6 address
        return False
    return parts.scheme in {"http", "https"} and bool(parts.hostname) and is_plain
