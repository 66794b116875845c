"""Suggestions for misspelled names."""

from collections.abc import Iterable
from difflib import get_close_matches


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Returns ` Did you mean start_date?`, or an empty text if no known name is similar."""
    meant = closest(name, known)
    return f" Did you mean {meant}?" if meant else ""


def closest(name: object, known: Iterable[str]) -> str | None:
    """Returns the known name most similar to `name`, ignoring case; None if none is similar."""
    by_lower = {each.lower(): each for each in known}
    close = get_close_matches(str(name).lower(), by_lower, n=1)
    return by_lower[close[0]] if close else None
