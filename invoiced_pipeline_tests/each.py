"""One test of many small subjects: thousands of tests of a millisecond cost minutes to report."""

from collections.abc import Callable, Iterable
from typing import TypeVar

Subject = TypeVar("Subject")


def each(subjects: Iterable[Subject]) -> Callable[[Callable[[Subject], None]], Callable[[], None]]:
    """Makes a check of one subject a test of all; it names every subject that fails."""
    checked = tuple(subjects)
    assert checked

    def decorate(check: Callable[[Subject], None]) -> Callable[[], None]:
        def test() -> None:
            assert _failures(check, checked) == {}

        test.__name__, test.__doc__ = check.__name__, check.__doc__
        return test

    return decorate


def _failures(check: Callable[[Subject], None], subjects: Iterable[Subject]) -> dict[str, str]:
    found = {}
    for subject in subjects:
        try:
            check(subject)
        except AssertionError as error:
            found[str(subject)] = str(error)
    return found
