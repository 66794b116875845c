"""Failures on demand."""

import httpx
import pytest

from invoiced_pipeline.emulator.faults import Faults


def test_scheduled_failures_hit_exactly_the_next_matching_requests(api):
    faults = api.emulator.faults
    faults.next("rate5xx", 2, skip=1, path="/invoices")
    paths = ["/invoices", "/customers", "/invoices", "/invoices", "/invoices"]
    assert [api.get(path).status_code for path in paths] == [200, 200, 500, 500, 200]


def test_server_error_text(api):
    api.emulator.faults.next("rate5xx")
    response = api.get("/invoices", headers={"X-Correlation-Id": "c-1"})
    assert response.json()["type"] == "api_error"
    message = response.json()["message"]
    assert message.startswith("There was an error processing your request. Our engineers have")
    assert message.endswith("\n\nCorrelation ID: c-1")


def test_dropped_connection_changes_nothing(api):
    api.emulator.faults.next("drop_connection")
    with pytest.raises(httpx.RemoteProtocolError):
        api("POST", "/customers", {"name": "A"})
    assert api.emulator.store.count("customers") == 0
    assert api.emulator.requests[-1][3] == 0


def test_lost_response_has_done_its_work(api):
    api.emulator.faults.next("lose_response")
    with pytest.raises(httpx.RemoteProtocolError):
        api("POST", "/customers", {"name": "A"})
    assert api.emulator.store.count("customers") == 1


def test_truncated_body(api):
    api.emulator.store.put("customers", {"id": 1, "name": "A"})
    api.emulator.faults.next("truncate_body")
    with pytest.raises(httpx.RemoteProtocolError):
        api.get("/customers/1")
    assert api.get("/customers/1").status_code == 200


def test_probabilities_repeat_with_their_seed():
    def drawn(seed):
        faults = Faults(rate429=0.3, seed=seed)
        return [faults.drawn("GET", "/") for _ in range(200)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 30 < sum(fault == "rate429" for fault in drawn(1)) < 90
