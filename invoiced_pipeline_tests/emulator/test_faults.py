"""Faults on demand."""

import httpx
import pytest

from invoiced_emulator.http.fault_injection import Faults


def test_scheduled_faults_affect_exactly_the_next_matching_requests(api):
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


def test_dropped_connection_writes_nothing(api):
    api.emulator.faults.next("drop_connection")
    with pytest.raises(httpx.RemoteProtocolError):
        api("POST", "/customers", {"name": "A"})
    assert api.emulator.store.count("customers") == 0
    assert api.emulator.requests[-1][3] == 0


def test_lost_response_has_written(api):
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


def test_same_seed_gives_same_faults():
    def drawn(seed):
        faults = Faults(rate429=0.3, seed=seed)
        return [faults.next_fault("GET", "/") for _ in range(200)]

    assert drawn(1) == drawn(1) != drawn(2)
    assert 30 < sum(fault == "rate429" for fault in drawn(1)) < 90


def test_error_after_the_commit_is_stored_under_the_key(api):
    api.emulator.faults.next("fail_after_commit", method="POST")
    key = {"headers": {"Idempotency-Key": "abcdef"}}
    first, again = (api("POST", "/customers", {"name": "A"}, **key) for _ in range(2))
    assert (first.status_code, again.status_code) == (500, 500)
    assert first.json()["type"] == "api_error"
    assert [row["name"] for row in api.emulator.store.all("customers")] == ["A"]


def give_up(api, key, name="A"):
    """A client that times out while its request is held."""
    headers = {"Idempotency-Key": key}
    with pytest.raises(httpx.ReadTimeout):
        api(
            "POST",
            "/customers",
            {"name": name},
            headers=headers,
            timeout=httpx.Timeout(30, read=0.05),
        )
    api.emulator.faults.stalls.wait()


def test_held_request_continues_after_its_client_times_out(api):
    api.emulator.faults.next("stall_before_commit")
    give_up(api, "abcdef")
    assert api.emulator.store.count("customers") == 0
    api.emulator.faults.stalls.release()
    assert api.emulator.store.count("customers") == 1
    again = api("POST", "/customers", {"name": "B"}, headers={"Idempotency-Key": "abcdef"})
    assert again.json()["name"] == "A"


@pytest.mark.parametrize("fault", ["stall_before_commit", "stall_after_commit"])
def test_two_requests_in_flight_with_one_key_are_both_handled(api, fault):
    api.emulator.faults.next(fault)
    give_up(api, "abcdef")
    key = {"headers": {"Idempotency-Key": "abcdef"}}
    assert api.ok("POST", "/customers", {"name": "B"}, **key)["name"] == "B"
    api.emulator.faults.stalls.release()
    assert api.emulator.store.count("customers") == 2
    # The response that was stored last is replayed.
    assert api.ok("POST", "/customers", {"name": "C"}, **key)["name"] == "A"


def test_waiting_for_held_requests_times_out():
    with pytest.raises(TimeoutError, match="0 requests are held"):
        Faults().stalls.wait(seconds=0)


def test_write_hook_runs_between_commit_and_response(api):
    seen = []

    def hook(*write):
        seen.append((*write, api.emulator.store.count("customers")))

    api.emulator.on_write = hook
    api("POST", "/customers", {"name": "A"})
    api("POST", "/customers", {})
    api.get("/customers")
    assert seen == [("POST", "/customers", 201, 1)]
