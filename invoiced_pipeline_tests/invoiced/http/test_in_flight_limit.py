"""The limit on requests in flight, without sending requests."""

import pytest

from invoiced_pipeline.invoiced.http.in_flight_limit import InFlightLimit


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
