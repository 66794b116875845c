"""Sends messages to the addresses of the settings, by Apprise."""

import logging
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pydantic import SecretStr

from invoiced_pipeline.alerts.message import Message
from invoiced_pipeline.exceptions import ConfigurationError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from apprise import Apprise

_MISSING = (
    "Alerts need the package apprise, which is not installed here. Install it: "
    "pip install 'invoiced-pipeline[alerts]', or empty the variable that holds the addresses"
)


@dataclass(frozen=True, slots=True)
class Address:
    """An address, shown without its secret: parts of a host or path may be a token.

    Attributes:
        number: Its place among the addresses, from 1.
        service: What Apprise calls the service; None if Apprise does not understand the address.
    """

    number: int
    service: str | None
    _apprise: "Apprise"

    def __str__(self) -> str:
        """Returns its place and service: `address 2 (Slack)`."""
        return f"address {self.number} ({self.service or 'not understood'})"

    def send(self, message: Message) -> bool:
        """Sends a message; returns whether it arrived."""
        if self.service is None:
            return False
        with _silent_apprise():
            return bool(
                self._apprise.notify(
                    title=message.title,
                    body=message.body,
                    notify_type=_apprise().NotifyType(message.severity),
                    body_format=_apprise().NotifyFormat.TEXT,
                )
            )


def read_addresses(texts: Sequence[SecretStr]) -> list[Address]:
    """Returns the addresses of the settings; nothing is sent.

    Raises:
        ConfigurationError: Apprise is not installed.
    """
    with _silent_apprise():
        return [_address(number, each) for number, each in enumerate(texts, start=1)]


def _address(number: int, text: SecretStr) -> Address:
    apprise = _apprise().Apprise()
    is_understood = apprise.add(text.get_secret_value())
    service = str(apprise[0].service_name) if is_understood else None
    return Address(number, service, apprise)


def _apprise() -> Any:
    """Imports Apprise: an extra, and only needed where a message is sent."""
    try:
        import apprise
    except ImportError as error:
        raise ConfigurationError(_MISSING) from error
    return apprise


@contextmanager
def _silent_apprise() -> "Iterator[None]":
    """Drops Apprise's log: it quotes addresses, and the answers of servers."""
    logger = logging.getLogger("apprise")
    before = logger.disabled
    logger.disabled = True
    try:
        yield
    finally:
        logger.disabled = before
