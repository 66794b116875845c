"""Idempotency keys: the first response, errors included, is replayed for a day."""

from invoiced_emulator.calls.call import Response
from invoiced_emulator.http.authentication import Caller
from invoiced_emulator.protocol.clock import DAY, Clock
from invoiced_emulator.protocol.errors import ApiError, refused
from invoiced_emulator.records.store import Store

_SHORTEST, _LONGEST = 6, 64
_ILLEGAL = frozenset("{}()/\\@:")
"""Reserved in Invoiced's cache. Assumed to fail, so that no client relies on them."""


class Idempotency:
    """Stores responses by API key and idempotency key.

    As in Invoiced, body, path and method of a retry are not compared, and two requests with the
    same key at the same time are both handled.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def replay(self, caller: Caller, key: str, method: str) -> Response | None:
        """Returns the stored response to this key; None when there is none.

        Raises:
            ApiError: 400 for an invalid key or method, 500 for characters that Invoiced's cache
                cannot store.
        """
        if method not in {"POST", "PATCH"}:
            raise refused(
                f"Unsupported method: {method}. "
                "Idempotency keys can only be used with POST and PATCH requests."
            )
        size = len(key.encode())
        if size < _SHORTEST:
            raise refused(
                f"Idempotency key is too short. Must be at least {_SHORTEST} characters long."
            )
        if size > _LONGEST:
            raise refused(
                f"Idempotency key is too long. Must be no longer than {_LONGEST} characters."
            )
        if _ILLEGAL & {*key}:
            raise ApiError(500, "", type="api_error")
        sql = "SELECT status, body FROM replays WHERE key = ? AND expires_at > ?"
        found = self._store.rows(sql, (f"{caller.key}:{key}", self._clock.now()))
        return Response(*found[0]) if found else None

    def remember(self, caller: Caller, key: str, response: Response) -> None:
        """Stores a response without its headers."""
        until = self._clock.now() + DAY
        row = (f"{caller.key}:{key}", response.status, response.body, until)
        self._store.execute("INSERT OR REPLACE INTO replays VALUES (?, ?, ?, ?)", row)
