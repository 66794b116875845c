"""Ticks of the alerts' sensor in this process, over the real instance."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg
import pytest

from invoiced_pipeline.defs.alerts.sensor import tick
from invoiced_pipeline_tests.defs.conftest import Service
from invoiced_pipeline_tests.inboxes import Webhook, webhook


@dataclass
class Alerts:
    """The sensor, with its cursor from tick to tick.

    Attributes:
        service: Its definitions and instance.
        hook: The first address.
        cursor: What it remembers.
        said: What the last tick said.
    """

    service: Service
    hook: Webhook
    cursor: str | None = None
    said: str = ""

    def tick(self, now: datetime | None = None) -> list[tuple[str, str]]:
        """Evaluates the sensor once; gives title and body of what arrived at the first address."""
        with dg.build_sensor_context(self.service.instance, cursor=self.cursor) as context:
            state, self.said = tick(context, self.service.settings(), now or datetime.now(UTC))
        self.cursor = state.encode()
        return [(each["title"], each["message"]) for each in self.hook.take()]

    def bodies(self, now: datetime | None = None) -> list[str]:
        """The same without titles."""
        return [body for _, body in self.tick(now)]


@pytest.fixture
def hook() -> Iterator[Webhook]:
    with webhook() as inbox:
        yield inbox


@pytest.fixture
def alerts(service: Service, hook: Webhook, monkeypatch: pytest.MonkeyPatch) -> Alerts:
    """Alerts of the account to a webhook."""
    set_addresses(service, monkeypatch, hook.address)
    return Alerts(service, hook)


def set_addresses(service: Service, monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    text = "\n".join(addresses)
    service.environment["INVOICED_ALERT_URLS"] = text
    monkeypatch.setenv("INVOICED_ALERT_URLS", text)


def firsts(body: str) -> list[str]:
    """The first line of every paragraph."""
    return [each.splitlines()[0] for each in body.split("\n\n")]
