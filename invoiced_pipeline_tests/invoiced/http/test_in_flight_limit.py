"""The limit on requests in flight, without sending requests."""

import pytest
from pydantic import SecretStr

from invoiced_pipeline.invoiced.http.in_flight_limit import InFlightLimit, shared_limit


def test_lowering_halves_down_to_one() -> None:
    limit = InFlightLimit(12)
    seen = []
    for _ in range(6):
        limit.lower()
        seen.append(limit.capacity)
    assert seen == [6, 3, 1, 1, 1, 1]


@pytest.mark.parametrize("successes", [0, 49, 50, 5000])
def test_successes_in_a_row_raise_it_again(successes: int) -> None:
    limit = InFlightLimit(4)
    limit.lower()
    for _ in range(successes):
        limit.succeeded()
    assert limit.capacity == min(4, 2 + successes // 50)


def test_place_is_released_after_an_error() -> None:
    limit = InFlightLimit(1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), limit.slot():
            raise ZeroDivisionError
    with limit.slot():
        assert limit.capacity == 1


def test_connections_with_one_key_share_the_smallest_limit() -> None:
    url, key = "https://api.invoiced.com", "a key of this test"
    first = shared_limit(url, SecretStr(key), 18)
    assert shared_limit(url, SecretStr("another key"), 5) is not first
    assert shared_limit("https://api.sandbox.invoiced.com", SecretStr(key), 5) is not first
    assert (first.capacity, first.maximum) == (18, 18)
    assert shared_limit(url, SecretStr(key), 10) is first
    assert shared_limit(url, SecretStr(key), 20) is first
    assert (first.capacity, first.maximum) == (10, 10)


def test_a_later_client_is_not_bound_by_one_that_is_gone() -> None:
    url, key = "https://api.invoiced.com", SecretStr("another key of this test")
    assert shared_limit(url, key, 3).maximum == 3
    assert shared_limit(url, key, 18).maximum == 18
