"""Requests in flight per key."""

from concurrent.futures import ThreadPoolExecutor

MESSAGE = "Too many concurrent requests! You can only make 20 concurrent requests at a time."


def held_and_next(api, held, more, **options):
    """The responses to requests that are held in flight, and to those sent meanwhile."""
    faults = api.emulator.faults
    faults.next("stall_before_commit", held)
    with ThreadPoolExecutor(held) as pool:
        first = [pool.submit(api.get, "/invoices", **options) for _ in range(held)]
        faults.stalls.wait(held)
        after = [api.get("/invoices", **options) for _ in range(more)]
        faults.stalls.release()
        return [each.result() for each in first], after


def test_the_21st_request_in_flight_gets_429(api):
    held, refused = held_and_next(api, 20, 4)
    assert {response.status_code for response in held} == {200}
    assert {response.status_code for response in refused} == {429}
    assert refused[0].json() == {"type": "rate_limit_error", "message": MESSAGE}
    assert "Retry-After" not in refused[0].headers
    assert api.emulator.peak_in_flight == 20


def test_oauth_tokens_are_not_limited(api):
    bearer = {"Authorization": f"Bearer {api.emulator.api_key}"}
    held, others = held_and_next(api, 21, 1, auth=None, headers=bearer)
    assert {response.status_code for response in held + others} == {200}
