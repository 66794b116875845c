"""The newest events, in one request: whether anything has changed since the last look."""

from dataclasses import dataclass
from datetime import datetime

import msgspec

from invoiced_pipeline.exceptions import ContractError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.reading.events import PATH
from invoiced_pipeline.invoiced.reading.pages import PER_PAGE
from invoiced_pipeline.nesting import decode

_WITHOUT_NOISE = (
    '[{"field":"type","operator":"not_contains","value":".viewed"},'
    '{"field":"type","operator":"not_contains","value":"email."}]'
)
"""Leaves out frequent events that change no record, so that they do not fill the page."""


class RecentEvent(msgspec.Struct, frozen=True):
    """An event; `timestamp` is the epoch second at which it was written."""

    id: int
    type: str
    timestamp: int


@dataclass(frozen=True, slots=True)
class RecentEvents:
    """One page of events.

    Attributes:
        events: Newest first.
        clock: The server's clock (UTC); None if it sends none.
    """

    events: tuple[RecentEvent, ...]
    clock: datetime | None

    @property
    def is_full(self) -> bool:
        """Whether there may be older events that are not on the page."""
        return len(self.events) >= PER_PAGE


_decoder = msgspec.json.Decoder(list[RecentEvent])


def read_recent_events(client: InvoicedClient, since: int | None) -> RecentEvents:
    """Reads the newest events with one request.

    Args:
        client: Where to read.
        since: The epoch second of the first event that is wanted; None for no limit.

    Raises:
        ApiError: The feed cannot be read.
    """
    window = () if since is None else (("start_date", str(since)),)
    params = (("advanced_filter", _WITHOUT_NOISE), *window, ("per_page", str(PER_PAGE)))
    response = client.list_page(PATH, params)
    try:
        events = decode(_decoder, response.body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        message = f"GET {PATH}: the response contains something that is not an event: {error}"
        raise ContractError(message, path=PATH, status=200) from error
    newest_first = sorted(events, key=lambda event: event.id, reverse=True)
    return RecentEvents(tuple(newest_first), response.server_time)
