"""The API's responses: stored, compared with what was requested, and passed on."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from invoiced_emulator.server import Emulator
from invoiced_pipeline_tests.writeback.push_harness import PushHarness, customers, planned

pytestmark = pytest.mark.everywhere

COLUMNS = "record_key, status_code, invoiced_id, response, verified, drift"


def responses(pushing: PushHarness) -> list[tuple[Any, ...]]:
    return pushing.rows(f"select {COLUMNS} from _writeback_responses order by record_key")


def test_responses_are_stored_whole(pushing: PushHarness) -> None:
    pushing([*customers(1), planned("x", {"name": "X", "type": "alien"})])
    (made, refused) = responses(pushing)
    record = json.loads(made[3])
    assert made[:3] == ("k0", 201, str(record["id"]))
    assert record["name"] == "Customer 0"
    assert made[4:] == (True, None)
    assert refused[:3] == ("x", 400, None)
    assert json.loads(refused[3])["param"] == "type"
    assert refused[4:] == (None, None)


def test_values_as_the_api_stores_them_are_no_drift(pushing: PushHarness) -> None:
    body = {
        "name": "A",
        "email": "Ann@Example.COM",
        "country": "de",
        "currency": "EUR",
        "credit_limit": 100,
        "notes": "",
        "metadata": {"vip": True, "seats": 5},
    }
    assert pushing([planned("a", body)]).verified == 1


def test_value_that_differs_is_drift(pushing: PushHarness) -> None:
    body = {"name": "A", "autopay": True, "payment_terms": "NET 30"}  # AutoPay clears the terms
    report = pushing([planned("a", body)])
    assert report.failure is None
    assert (report.verified, report.drifted) == (0, {"a": ["payment_terms"]})
    ((*_, verified, drift),) = responses(pushing)
    assert verified is False
    assert json.loads(drift) == [{"field": "payment_terms", "asked": "NET 30", "found": None}]


def test_drift_shows_no_personal_values(pushing: PushHarness) -> None:
    pushing.operation = "update_customer"
    pushing.emulator.store.put("customers", {"id": 7, "object": "customer", "name": "A"})
    body = {"name": "Secret Person", "autopay": True, "payment_terms": "NET 30"}
    row = planned("a", body, action="update", method="PATCH", path="/customers/7")
    pushing([row])
    assert "Secret" not in str(responses(pushing)[0][5])


def test_hashed_and_dropped_columns_are_not_stored(pushing: PushHarness) -> None:
    tables = {"customers": {"hash": ["email"], "drop": ["phone"]}}
    pushing.connection = {"tables": tables}
    body = {"name": "A", "email": "ann@example.com", "phone": "+49 30 1234567"}
    assert pushing([planned("a", body)]).failure is None
    text = str(responses(pushing))
    assert "ann@example.com" not in text
    assert "1234567" not in text
    assert len(json.loads(responses(pushing)[0][3])["email"]) == 64


def test_record_found_by_a_look_up_is_stored(pushing: PushHarness) -> None:
    pushing.emulator.faults.next("lose_response", method="POST")
    pushing(customers(1))
    ((key, status, identity, response, verified, _),) = responses(pushing)
    assert (key, status, verified) == ("k0", None, True)
    assert str(json.loads(response)["id"]) == identity


@contextmanager
def receiver(status: int = 200) -> Iterator[tuple[str, list[tuple[dict[str, str], Any]]]]:
    """Runs a server that records what is POSTed to it."""
    received: list[tuple[dict[str, str], Any]] = []

    class Request(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append((dict(self.headers.items()), json.loads(body)))
            self.send_response(status)
            self.send_header("Location", "http://127.0.0.1:1/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Logs nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Request)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/hook?from=us", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_responses_are_posted_without_secrets(pushing: PushHarness, emulator: Emulator) -> None:
    with receiver() as (url, received):
        rows = [*customers(3), planned("x", {"name": ""})]
        report = pushing(rows, response_url=url)
        assert report.notes == []
        assert sorted(body["record_key"] for _, body in received) == ["k0", "k1", "k2", "x"]
        assert emulator.api_key not in str(received)
        assert all("Authorization" not in headers for headers, _ in received)
        pushing(rows, response_url=url)
        assert len(received) == 4


@pytest.mark.parametrize("status", [500, 302])
def test_failing_receiver_causes_no_second_request(pushing: PushHarness, status: int) -> None:
    with receiver(status) as (url, received):
        report = pushing(customers(20), response_url=url)
        assert report.failure is None
        (note,) = report.notes
        assert "20 responses did not reach response_url" in note
        assert len(received) <= 8, "after a few failures it counts as down"
        assert pushing(customers(20), response_url=url).succeeded == 0
    assert pushing.emulator.store.count("customers") == 20


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "0.0.0.0", "nowhere.invalid"])  # noqa: S104
def test_link_local_addresses_are_not_contacted(pushing: PushHarness, host: str) -> None:
    report = pushing(customers(1), response_url=f"http://user:pw@{host}/latest")
    (note,) = report.notes
    assert "did not reach" in note
    assert "pw" not in note
