"""Lists of ids on servers that break the API's promises."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import msgspec
import pytest
from pydantic import SecretStr

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import table
from invoiced_pipeline.exceptions import ContractError, RequestRefusedError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.invoiced.reading.events import read_events
from invoiced_pipeline.invoiced.reading.identifiers import list_identifiers, missing_records
from invoiced_pipeline.windows import from_epoch
from invoiced_pipeline_tests.conftest import NOW, SHORT_RETRIES, invoice
from invoiced_pipeline_tests.invoiced.handmade import HandmadeApi

INVOICES = table("invoices")


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as executor:
        yield executor


def test_a_server_that_ignores_the_filter_is_refused(executor: ThreadPoolExecutor) -> None:
    page = msgspec.json.encode([{"id": number} for number in range(1, 101)])

    def reply(_: str, __: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        return 200, {"X-Total-Count": "150"}, page

    with HandmadeApi(reply=reply) as api:
        client = InvoicedClient(api.url, SecretStr("key"), retry_policy=SHORT_RETRIES)
        with pytest.raises(ContractError, match="order of their ids"):
            list_identifiers(client, INVOICES, executor, Tally())


def test_ids_that_come_while_they_are_listed(
    emulator: Emulator, client: InvoicedClient, executor: ThreadPoolExecutor
) -> None:
    emulator.store.put_many("invoices", (invoice(number) for number in range(1, 251)))
    pages = 0

    def come_and_go(path: str, _: object) -> None:
        nonlocal pages
        pages += 1
        emulator.store.put("invoices", invoice(1000 + pages))
        emulator.store.remove("invoices", pages)  # on a page that was read or is being read

    emulator.on_request = come_and_go
    found = list_identifiers(client, INVOICES, executor, Tally())
    assert set(range(4, 251)) <= set(found.seconds)
    assert found.server_time == from_epoch(NOW)


def test_an_unknown_path_is_no_missing_record(
    client: InvoicedClient, executor: ThreadPoolExecutor
) -> None:
    assert missing_records(client, INVOICES, [5], executor, Tally()) == {5}
    plans = table("plans")
    assert missing_records(client, plans, ["a b ü?"], executor, Tally()) == {"a b ü?"}
    with pytest.raises(RequestRefusedError, match="Request was not recognized"):
        client.record("/nothing/5", (), Tally())


def test_events_without_a_clock_end_with_the_newest(
    emulator: Emulator, client: InvoicedClient, executor: ThreadPoolExecutor
) -> None:
    emulator.account.date_header = False
    since = from_epoch(NOW - 1000)
    assert read_events(client, since, executor, Tally()).until == since
    for number, kind in enumerate(("invoice.deleted", "invoice.viewed"), 1):
        data = {"object": {"id": 7}}
        entry = {"id": number, "type": kind, "timestamp": NOW - 100 * number, "data": data}
        emulator.store.put("events", entry)
    read = read_events(client, since, executor, Tally())
    assert [event.type for event in read.events] == ["invoice.deleted"]
    assert read.until == from_epoch(NOW - 110)


def test_what_is_no_event_is_refused(executor: ThreadPoolExecutor) -> None:
    reply = (200, {}, b'[{"id": 1, "type": "invoice.deleted"}]')
    with HandmadeApi(reply=lambda _, __: reply) as api:
        client = InvoicedClient(api.url, SecretStr("key"), retry_policy=SHORT_RETRIES)
        with pytest.raises(ContractError, match="not an event"):
            read_events(client, from_epoch(NOW), executor, Tally())
