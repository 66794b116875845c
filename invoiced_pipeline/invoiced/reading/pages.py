"""A page of a list: its bytes, with id and `updated_at` of its records."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec

from invoiced_pipeline.exceptions import ContractError
from invoiced_pipeline.invoiced.http.client import InvoicedClient, Params
from invoiced_pipeline.invoiced.http.tally import Tally
from invoiced_pipeline.nesting import decode

PER_PAGE = 100
"""Most records in one page (API reference)."""

LAG = timedelta(seconds=10)
"""Coverage ends this long before the server's clock: the newest records may be missing."""


class Stamp(msgspec.Struct, frozen=True):
    """The fields by which lists are read; `updated_at` is in epoch seconds."""

    id: int | str | None = None
    updated_at: int | float | str | None = None
    internal_id: int | str | None = None
    """Distinguishes the versions of a plan, which share one id."""
    timestamp: int | float | str | None = None
    """When an event was written: events have no `updated_at`."""

    @property
    def second(self) -> int | None:
        """Its time in whole epoch seconds; None if it is null, absent or no number."""
        stamp = self.timestamp if self.updated_at is None else self.updated_at
        try:
            return None if stamp is None else int(stamp)
        except (ValueError, OverflowError):
            return None


class _LooseStamp(msgspec.Struct, frozen=True):
    id: int | str | None = None
    updated_at: msgspec.Raw = msgspec.Raw(b"null")
    internal_id: int | str | None = None


_loose_decoder = msgspec.json.Decoder(list[_LooseStamp])
_decoder = msgspec.json.Decoder(list[Stamp])
_second_decoder = msgspec.json.Decoder(int | float | str | None)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list.

    Attributes:
        body: The JSON array as it was sent.
        stamps: One per record, in the same order.
        skip: Positions of unwanted records: seen before, or outside the window.
        total: Number of records that match the request, if the server sent it.
        server_time: The server's clock (UTC), if it sent it.
        variant: The parameters that distinguish this list from the table's other lists.
        parents: Parents all of whose records are on this page, if the API lists them per parent.
        reached: The parent up to whose id all have been read by now; None if it does not say.
    """

    body: bytes
    stamps: list[Stamp]
    skip: frozenset[int]
    total: int | None
    server_time: datetime | None
    variant: Params = ()
    parents: tuple[int, ...] = ()
    reached: int | None = None

    @property
    def is_full(self) -> bool:
        """Whether more records may follow; the API's `next` links lag by minutes (observed)."""
        return len(self.stamps) >= PER_PAGE

    @property
    def more_follow(self) -> bool:
        """Whether this first page is not the last: it is full, or shorter than its total."""
        return self.is_full or (self.total or 0) > len(self.stamps) > 0

    def skipping(self, positions: Iterable[int]) -> "Page":
        """Returns the same page with more records to skip."""
        return replace(self, skip=self.skip.union(positions))


def fetch_page(
    client: InvoicedClient, path: str, params: Params, tally: Tally, *, size: int | None = None
) -> Page:
    """Fetches and indexes one page of `size` records, by default `PER_PAGE`.

    Raises:
        ContractError: The response contains something other than records with an id.
    """
    response = client.list_page(path, (*params, ("per_page", str(size or PER_PAGE))), tally)
    try:
        stamps = _stamps(response.body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        message = f"GET {path}: the response contains something that is not a record: {error}"
        raise ContractError(message, path=path, status=200) from error
    return Page(response.body, stamps, frozenset(), response.total, response.server_time)


def _stamps(body: bytes) -> list[Stamp]:
    """Returns the stamps of a page; an `updated_at` that is no number or text counts as none.

    Raises:
        msgspec.MsgspecError: The page holds something that is no record with an id.
    """
    try:
        return decode(_decoder, body)
    except msgspec.ValidationError:
        loose = decode(_loose_decoder, body)
        return [Stamp(each.id, _read_second(each.updated_at), each.internal_id) for each in loose]


def _read_second(raw: msgspec.Raw) -> int | float | str | None:
    try:
        return decode(_second_decoder, raw)
    except msgspec.MsgspecError:
        return None


def check_order(page: Page, path: str, *, descending: bool = False) -> None:
    """Checks that a page's records are in the order of `updated_at`.

    Raises:
        ContractError: They are not, for example because the server ignores `sort`.
    """
    known = [stamp.second for stamp in page.stamps if stamp.second is not None]
    if known != sorted(known, reverse=descending):
        message = f"GET {path}: records do not come in the order of updated_at as asked"
        raise ContractError(message, path=path, status=200)
