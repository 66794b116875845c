"""Idempotency keys: the first answer, whatever it was, is replayed for a day."""

from invoiced_emulator.calls.call import Response
from invoiced_emulator.http.authentication import Caller
from invoiced_emulator.protocol.clock import DAY, Clock
from invoiced_emulator.protocol.errors import ApiError, refused
from invoiced_emulator.records.store import Store

_SHORTEST, _LONGEST = 6, 64
_ILLEGAL = frozenset("{}()/\\@:")
"""Reserved in the service's cache; taken to fail there, so that no client comes to rely on them."""


class Idempotency:
    """Answers stored by API key and idempotency key.

    Body, path and method of the repetition are not compared, and nothing guards two requests
    that run at the same time: both are carried out. So does the service.
    """

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def replay(self, caller: Caller, key: str, method: str) -> Response | None:
        """The stored answer to this key; None when the request has to be carried out.

        Raises:
            ApiError: 400 when the key or the method does not allow it, 500 for characters that
                the service's cache cannot store.
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
        """Store an answer for replays; its headers are not kept."""
        until = self._clock.now() + DAY
        row = (f"{caller.key}:{key}", response.status, response.body, until)
        self._store.execute("INSERT OR REPLACE INTO replays VALUES (?, ?, ?, ?)", row)
