"""A package: the part of a replication that dlt loads and commits at once.

A small replication is one package. A first load of a large account is many: each commits rows and
how far they were read, so that a run that dies in between does not read them again.
"""

MOST_RECORDS = 250_000
"""Records after which a package ends: about 15 s of reading with 18 requests in flight.

Each package costs about a second more, and each later one is merged with the rows before it.
"""


class Package:
    """The package that is being read."""

    def __init__(self) -> None:
        self._records = 0

    def add(self, records: int) -> None:
        """Counts records that were read."""
        self._records += records

    @property
    def is_full(self) -> bool:
        """Whether tables that can be read in several packages should end their part of it."""
        return self._records >= MOST_RECORDS

    def begin(self) -> None:
        """Begins the next package."""
        self._records = 0
