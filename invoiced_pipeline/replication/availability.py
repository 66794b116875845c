"""Which tables an account has: a run leaves the others out, and still succeeds.

The API refuses a table in two ways (API reference, observed): with 400 if a feature is not enabled,
and with 403 if the key's user has no permission. If it refuses every table of a connection, the key
is the wrong one, and the run fails.
"""

import logging
import re
from collections.abc import Iterable, Mapping

from invoiced_pipeline.catalog import TABLES, Table
from invoiced_pipeline.catalog import table as catalog_table
from invoiced_pipeline.exceptions import ApiError, UnavailableError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.http.tally import Tally

logger = logging.getLogger(__name__)

NO_TABLE = (
    "none of the connection's tables can be read: {words}. Is it the API key of the right account, "
    "and may its user read these tables?"
)

_ONE = "The table {names} is not available and was left out: {words}. "
_SEVERAL = "The tables {names} are not available and were left out: {words}. "
_AFTER_A_LOAD = (
    "The first sync that can read {them} loads all that is missing; to stop asking for {them}, "
    "exclude {them} under [connection.tables]"
)
_AFTER_A_SWEEP = "No row of {them} was marked as deleted"


def lacks(table: Table, error: Exception) -> bool:
    """Returns whether an error says that the account does not have `table`.

    The error's path matters: reading payments also asks for their transactions, which the API may
    refuse alone.
    """
    if not isinstance(error, UnavailableError):
        return False
    paths = [re.sub(r"\\{\w+\\}", "[^/]+", re.escape(table.path))]
    if table.parent is not None:
        paths.append(re.escape(catalog_table(table.parent.table).path))
    return any(re.match(f"{path}(/|$)", error.path) for path in paths)


def is_any_readable(client: InvoicedClient, tables: Iterable[Table]) -> bool:
    """Returns whether the API lists any of `tables`; asks for one record of each until it does."""
    for table in tables:
        if table.parent is not None:
            continue
        try:
            client.list_page(table.path, (*table.list_params, ("per_page", "1")), Tally())
        except ApiError:
            continue
        return True
    return False


class Availability:
    """Whether the key can read any table, from the API's responses so far.

    Args:
        client: Asks for tables that are not part of the run.
        names: The run's tables.
        selected: All tables of the connection, by name.
    """

    def __init__(
        self, client: InvoicedClient, names: Iterable[str], selected: frozenset[str]
    ) -> None:
        self._client = client
        self._open = set(names)
        self._others = [each for each in TABLES if each.name in selected.difference(self._open)]
        self._is_key_right: bool | None = None

    def note_readable(self) -> None:
        """Notes that the API has listed a table of the run."""
        self._is_key_right = True

    def settle(self, name: str) -> None:
        """Notes that a table has been read, or has failed."""
        self._open.discard(name)

    def is_key_right(self) -> bool | None:
        """Returns whether the key can read any table of the connection; None if not known yet.

        If it can read no table of the run, the connection's other tables are asked for.
        """
        if self._is_key_right is None and not self._open:
            self._is_key_right = is_any_readable(self._client, self._others)
        return self._is_key_right


def reasons(unavailable: Mapping[str, str]) -> list[str]:
    """Returns the API's refusals, equal ones once, with the path of the first table."""
    found: dict[str, str] = {}
    for words in unavailable.values():
        found.setdefault(words.partition(" answered ")[2] or words, words)
    return list(found.values())


def announce(unavailable: Mapping[str, str], *, swept: bool = False) -> None:
    """Logs one line for all tables that the account does not have.

    Args:
        unavailable: The API's refusal, by table.
        swept: Whether a sweep left them out, not a load.
    """
    if not unavailable:
        return
    is_one = len(unavailable) == 1
    text = (_ONE if is_one else _SEVERAL) + (_AFTER_A_SWEEP if swept else _AFTER_A_LOAD)
    logger.warning(
        text.format(
            names=", ".join(unavailable),
            words="; ".join(reasons(unavailable)),
            them="it" if is_one else "them",
        )
    )
