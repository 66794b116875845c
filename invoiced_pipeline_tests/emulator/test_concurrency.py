"""Requests in flight per key."""

from concurrent.futures import ThreadPoolExecutor

MESSAGE = "Too many concurrent requests! You can only make 20 concurrent requests at a time."


def statuses(api, count, **options):
    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(lambda _: api.get("/invoices", **options), range(count)))


def test_twenty_first_request_in_flight_is_429(api):
    api.emulator.faults.latency_ms = 400
    try:
        answers = statuses(api, 24)
    finally:
        api.emulator.faults.latency_ms = 0
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 4
    assert refused[0].json() == {"type": "rate_limit_error", "message": MESSAGE}
    assert "Retry-After" not in refused[0].headers
    assert api.emulator.peak_in_flight == 20


def test_oauth_is_not_limited(api):
    api.emulator.faults.latency_ms = 300
    bearer = {"Authorization": f"Bearer {api.emulator.api_key}"}
    try:
        answers = statuses(api, 22, auth=None, headers=bearer)
    finally:
        api.emulator.faults.latency_ms = 0
    assert {answer.status_code for answer in answers} == {200}
