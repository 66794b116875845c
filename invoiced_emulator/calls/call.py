"""What every handler works with: the shared state, the request and the response."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from invoiced_emulator.protocol.account import Account
from invoiced_emulator.protocol.clock import Clock
from invoiced_emulator.protocol.exact_json import encode
from invoiced_emulator.protocol.pages import ExpiringValues
from invoiced_emulator.records.row_counts import RowCounts
from invoiced_emulator.records.store import Store
from invoiced_emulator.records.unit_of_work import UnitOfWork

WriteHook = Callable[[str, str, int], None]
"""Called with method, path and status between the commit of a write and its response."""
RequestHook = Callable[[str, dict[str, Any]], None]
"""Called with path and query parameters before a GET is handled."""


@dataclass(slots=True, kw_only=True)
class SharedState:
    """The state that all requests share."""

    store: Store
    account: Account
    clock: Clock
    counts: ExpiringValues = field(init=False)
    cursors: ExpiringValues = field(init=False)
    row_counts: RowCounts = field(init=False)
    locks: ExpiringValues = field(init=False)
    """Records that another process is editing, by `collection/key`."""
    on_request: RequestHook | None = None
    on_write: WriteHook | None = None

    def __post_init__(self) -> None:
        self.counts = ExpiringValues(self.clock)
        self.cursors = ExpiringValues(self.clock)
        self.row_counts = RowCounts(self.store)
        self.locks = ExpiringValues(self.clock)


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that is authenticated and routed."""

    shared: SharedState
    work: UnitOfWork
    """Collects the changes of this request."""
    method: str
    path: str
    base: str
    """Scheme and host of the request, for links."""
    query: dict[str, Any]
    body: dict[str, Any]
    arguments: tuple[str, ...] = ()
    """Ids in the path, in order."""
    form: bool = False
    """Whether the body came form-encoded: then every value is text."""
    accept: str = ""
    """The `Accept` header."""


@dataclass(frozen=True, slots=True)
class Response:
    """A response: status, body (None when empty) and extra headers.

    The body is JSON unless the headers hold another `Content-Type`.
    """

    status: int
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def json_response(status: int, value: object) -> Response:
    """Returns a response whose body is `value` as JSON."""
    return Response(status, encode(value))


Handler = Callable[[Call], Response]
