"""A problem of a row, for the person who corrects it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row is not sent.

    Attributes:
        reason: What is wrong and what to do. It never repeats a value that looks like the number of
            a card or a bank account.
        param: The field that causes it.
    """

    reason: str
    param: str | None = None
