"""A proxy in front of the API: what it sees, and the errors when it fails."""

import base64
from urllib.parse import urlsplit

import pytest
from pydantic import SecretStr

from invoiced_emulator.server import Emulator
from invoiced_pipeline.exceptions import HostUnreachableError, RequestRefusedError
from invoiced_pipeline.invoiced.http.client import InvoicedClient, RetryPolicy
from invoiced_pipeline_tests.conftest import SHORT_RETRIES, customer
from invoiced_pipeline_tests.proxy import running_proxy

KEY = "secret7890abcdefghijklmnop123456"
USER, PASSWORD = "ops", "p@ss:word"
CREDENTIALS = "ops:p%40ss%3Aword"
WANTED = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


def through(proxy: str, url: str, key: str = KEY) -> InvoicedClient:
    return InvoicedClient(url, SecretStr(key), retry_policy=SHORT_RETRIES, proxy=SecretStr(proxy))


def test_all_requests_go_through_the_proxy(emulator: Emulator) -> None:
    emulator.store.put("customers", customer(1))
    with running_proxy(WANTED) as proxy:
        # A name that only the proxy can resolve.
        url = f"http://invoiced.internal:{urlsplit(emulator.url).port}"
        client = through(f"http://{CREDENTIALS}@{proxy.address}", url, emulator.api_key)
        assert client.list_page("/customers", (("page", "1"),)).total == 1
        client.close()
        assert proxy.targets == [f"GET {url}/customers?page=1"]
        assert len(emulator.requests) == 1


def test_the_key_goes_through_a_tunnel_and_the_proxys_password_does_not() -> None:
    with running_proxy(WANTED) as proxy:
        client = through(f"http://{CREDENTIALS}@{proxy.address}", "https://api.invoiced.com")
        with pytest.raises(HostUnreachableError) as caught:
            client.list_page("/customers", ())
        ((method, target, headers), *_) = proxy.requests
        assert (method, target) == ("CONNECT", "api.invoiced.com:443")
        assert headers["proxy-authorization"] == WANTED
        assert "authorization" not in headers
    assert str(caught.value) == (
        f"Cannot reach api.invoiced.com through the proxy {proxy.address}: Tunnel connection "
        "failed: 502 No tunnels. Check the setting proxy (4 tries)"
    )


def test_a_proxy_that_wants_other_credentials(emulator: Emulator) -> None:
    with running_proxy("another") as proxy:
        client = through(f"http://{CREDENTIALS}@{proxy.address}", emulator.url)
        with pytest.raises(RequestRefusedError, match="user and password in the setting proxy"):
            client.list_page("/customers", ())
    assert emulator.requests == []


def test_a_proxy_that_is_not_there() -> None:
    client = InvoicedClient(
        "https://api.invoiced.com",
        SecretStr(KEY),
        retry_policy=RetryPolicy(attempts=1),
        proxy=SecretStr(f"http://{CREDENTIALS}@127.0.0.1:1"),
    )
    with pytest.raises(HostUnreachableError) as caught:
        client.list_page("/customers", ())
    assert str(caught.value) == (
        "Cannot reach api.invoiced.com through the proxy 127.0.0.1:1: the connection was refused. "
        "Check the setting proxy"
    )
