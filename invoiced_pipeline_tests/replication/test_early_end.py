"""A run that ends early does not wait for requests that would retry for a minute."""

import pytest
from pydantic import SecretStr

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import TABLES
from invoiced_pipeline.exceptions import RequestRefusedError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.replication.replication import Replication
from invoiced_pipeline.replication.request import ReplicationRequest
from invoiced_pipeline_tests.conftest import START


def test_closing_ends_all_requests(emulator: Emulator) -> None:
    client = InvoicedClient(emulator.url, SecretStr(emulator.api_key))
    request = ReplicationRequest(
        tables=TABLES, mode="sync", start_date=START, connection="Invoiced", host="localhost"
    )
    Replication(client, request).close()
    with pytest.raises(RequestRefusedError, match="the client was closed"):
        client.list_page("/customers", ())
