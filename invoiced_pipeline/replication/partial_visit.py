"""How far the first read of a table that the API lists per parent got, if it ended early."""

from typing import NamedTuple


class PartialVisit(NamedTuple):
    """A read of all parents that ended early; its rows are in the warehouse.

    Attributes:
        start: The start date, as an epoch second.
        at: The server's clock when it began, as an epoch second.
        after: The id up to which all parents were read.
    """

    start: int
    at: int
    after: int
