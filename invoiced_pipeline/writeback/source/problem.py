"""What is wrong with a row, for the person who will mend it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row is not sent.

    Attributes:
        reason: What is wrong and what to do; it never repeats a value that was refused as a card's
            or an account's number.
        param: The field to blame.
    """

    reason: str
    param: str | None = None
