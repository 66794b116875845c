"""The secrets in the settings, in the forms in which an error message may repeat them."""

from base64 import b64encode
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

from invoiced_pipeline.settings.models import Settings

_SHORTEST = 4
"""Shorter texts are no secrets, and would be found inside words."""


def secret_texts(settings: Settings) -> tuple[str, ...]:
    """Returns every secret as it is set, as it goes over the wire, and as part of an address.

    The longest come first: one may contain another.
    """
    found = {text for text in _secrets(settings) if len(text) >= _SHORTEST}
    wire = {b64encode(f"{text}:".encode()).decode() for text in found}
    in_address = {quote(text, safe="") for text in found}
    return tuple(sorted(found | wire | in_address, key=len, reverse=True))


def _secrets(settings: Settings) -> Iterator[str]:
    for secret in settings.secrets.values():
        yield secret.get_secret_value().strip()
    for connection in settings.connection:
        if connection.api_key:
            yield connection.api_key.get_secret_value().strip()
        if connection.proxy:
            yield urlsplit(connection.proxy.get_secret_value()).password or ""
    server = settings.warehouse.credentials
    if server is not None:
        yield from (each.get_secret_value() for each in server.query.values() if each)
        yield server.password.get_secret_value() if server.password else ""
