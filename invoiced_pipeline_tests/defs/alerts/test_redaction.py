"""What leaves the company: no value of a record, no API key, no text of an error."""

from datetime import timedelta
from typing import Any

from invoiced_emulator.protocol.errors import refused
from invoiced_emulator.server import Emulator
from invoiced_pipeline_tests.conftest import customer, invoice
from invoiced_pipeline_tests.defs.alerts.conftest import Alerts, firsts
from invoiced_pipeline_tests.defs.conftest import START, Service
from invoiced_pipeline_tests.front_door import SECRETS
from invoiced_pipeline_tests.inboxes import TOKEN

CHANGED = int((START + timedelta(days=1)).timestamp())
MARK = "SeededValueOfACustomer"


def test_no_value_of_a_record_and_no_key_is_sent(
    alerts: Alerts, service: Service, account: Emulator
) -> None:
    """The errors of the run hold values and ids; the messages about it do not."""
    account.store.put("customers", customer(1, CHANGED, name=MARK))
    account.store.put_many("invoices", [invoice(987654321, CHANGED, total=MARK)])

    def repeat(path: str, _: Any) -> None:
        if path == "/plans":
            raise refused(f"{MARK} is not allowed for {account.api_key}")

    account.on_request = repeat
    error = service.sync("customers", "invoices", "plans").error or ""
    assert MARK in error
    assert "987654321" in error
    alerts.hook.is_up = False
    alerts.tick()
    alerts.hook.is_up = True
    (body,) = alerts.bodies()
    assert firsts(body) == ["Not loaded: plans.", "Too many rejects: invoices (1 record)."]
    assert not [each for each in (MARK, "987654321", TOKEN, *SECRETS) if each in body]
