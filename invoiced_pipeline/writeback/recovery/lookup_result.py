"""What the API shows when a request's outcome is looked up, and which record is the row's."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from invoiced_pipeline.catalog.operations import MARKER
from invoiced_pipeline.exceptions import RequestRefusedError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.reading.pages import PER_PAGE
from invoiced_pipeline.nesting import array_elements, shallow
from invoiced_pipeline.writeback.recovery.digests import digest, part_digest
from invoiced_pipeline.writeback.recovery.lookup import Lookup
from invoiced_pipeline.writeback.source.parts import value_at

_CLOCK_TOLERANCE = timedelta(minutes=5)
"""How long before the request that made it a record's `created_at` may lie."""

_MAX_PAGES = 100

_JSON = msgspec.json.Decoder()


@dataclass(frozen=True, slots=True)
class LookupResult:
    """What a look-up showed.

    Attributes:
        records: Records that may be the row's, as JSON; of kind `record` the record.
        done: Whether they show that the request was carried out.
        certain: Whether `done` is reliable; False where there was nothing to compare.
        taken: Whether another record has the number, so that the request cannot have succeeded.
        doubtful: Whether a record has the number that may be the row's or somebody else's.
    """

    records: tuple[bytes, ...] = ()
    done: bool = False
    certain: bool = True
    taken: bool = False
    doubtful: bool = False


def look_up(client: InvoicedClient, lookup: Lookup) -> LookupResult:
    """Asks the API. The result of a list goes through `match_records` next.

    Raises:
        ApiError: The request failed; nothing is known.
    """
    if not lookup.is_list:
        return _single_record(client, lookup)
    return LookupResult(
        tuple(raw for raw, record in _listed(client, lookup) if _matches(lookup, record))
    )


def match_records(
    lookup: Lookup,
    records: Sequence[bytes],
    free: Sequence[bytes],
    since: datetime | None,
    ahead: timedelta,
) -> LookupResult:
    """Decides which listed record, if any, the request made.

    Args:
        lookup: By number, marker or list.
        records: The records that match it.
        free: Those of them that belong to no other row.
        since: When the request was sent (UTC, our clock); None where that is not known.
        ahead: How far the API's clock is ahead of ours now. It may have been less then: records in
            between are neither surely older than the request nor surely newer.
    """
    if lookup.kind == "marker":
        return LookupResult(tuple(free), bool(free))
    new = [raw for raw in free if since is None or _created_since(raw, since + ahead)]
    earliest = since + min(ahead, timedelta()) if since else None
    between = [raw for raw in free if raw not in new and _created_since(raw, earliest)]
    if lookup.kind == "list":
        certain = bool(lookup.digests) if new else not between
        return LookupResult(tuple(new or between), bool(new), certain)
    return _match_number(lookup, records, free, new, between)


def _match_number(
    lookup: Lookup,
    records: Sequence[bytes],
    free: Sequence[bytes],
    new: Sequence[bytes],
    between: Sequence[bytes],
) -> LookupResult:
    """Matches by number. Time alone proves nothing: somebody may have used it a moment before."""
    if not lookup.digests:  # from a ledger of an older version
        return LookupResult(tuple(new), bool(new), taken=bool(records) and not new)
    same = [raw for raw in free if _has_content(lookup, _JSON.decode(shallow(raw)))]
    ours = [raw for raw in new if raw in same]
    if ours:
        return LookupResult(tuple(ours), done=True)
    if same or new or between:
        return LookupResult(tuple(same or new or between), doubtful=True)
    return LookupResult(taken=bool(records))


def _has_content(lookup: Lookup, record: Mapping[str, Any]) -> bool:
    """Whether a record shows what was sent; at least one field must be shown."""
    shown = {name: sent for name, sent in lookup.digests.items() if name in record}
    return bool(shown) and all(digest(name, record[name]) == sent for name, sent in shown.items())


def _single_record(client: InvoicedClient, lookup: Lookup) -> LookupResult:
    body = client.record(lookup.path, lookup.params)
    if body is None:
        return LookupResult(done=lookup.kind != "record")
    record = _JSON.decode(shallow(body))
    if lookup.kind == "gone":
        return LookupResult((body,))
    if lookup.kind == "voided":
        return LookupResult((body,), record.get("status") == "voided")
    shown = {name: sent for name, sent in lookup.digests.items() if name.split(".")[0] in record}
    done = all(_has_value(record, name, sent) for name, sent in shown.items())
    return LookupResult((body,), done and bool(shown), bool(shown))


def _has_value(record: Mapping[str, Any], name: str, sent: str) -> bool:
    """Whether a field, or a part of one such as `metadata.crm`, has the value that was sent.

    Of a part only that part is compared: anybody may have changed what is beside it.
    """
    path = tuple(name.split("."))
    if len(path) > 1:
        return part_digest(path, value_at(record, path)) == sent
    value = record[name]
    if name == "metadata" and isinstance(value, Mapping) and MARKER in value:
        without = {key: item for key, item in value.items() if key != MARKER}
        return sent in {digest(name, value), digest(name, without)}
    return digest(name, value) == sent


def _listed(client: InvoicedClient, lookup: Lookup) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """Yields the records of a list, each as JSON and decoded."""
    params = list(lookup.params)
    if lookup.kind == "number":
        params.append((f"filter[{lookup.name}]", lookup.value))
    elif lookup.kind == "marker":
        params.append((f"metadata[{lookup.name}]", lookup.value))
    seen: set[bytes] = set()
    for page in range(1, _MAX_PAGES + 1):
        body = client.list_page(lookup.path, (*params, ("page", str(page)))).body
        raws = array_elements(body)
        # Payment sources come as a whole on every page (observed behaviour).
        yield from ((raw, _JSON.decode(shallow(raw))) for raw in raws if raw not in seen)
        if len(raws) < PER_PAGE or seen.issuperset(raws):
            return
        seen.update(raws)
    message = f"GET {lookup.path}: more than {_MAX_PAGES} pages to compare"
    raise RequestRefusedError(message, path=lookup.path)


def _matches(lookup: Lookup, record: Mapping[str, Any]) -> bool:
    # The API ignores filters that it does not understand (observed behaviour), so each record is
    # compared.
    if lookup.kind == "number":
        return str(record.get(lookup.name)).casefold() == lookup.value.casefold()
    if lookup.kind == "marker":
        metadata = record.get("metadata")
        return isinstance(metadata, dict) and metadata.get(lookup.name) == lookup.value
    return all(digest(name, record.get(name)) == sent for name, sent in lookup.digests.items())


def _created_since(record: bytes, since: datetime | None) -> bool:
    """Whether a request sent at `since` (UTC, the API's clock) may have created a record."""
    created_at = _JSON.decode(shallow(record)).get("created_at")
    if since is None or not isinstance(created_at, int | float):
        return True
    return created_at >= (since - _CLOCK_TOLERANCE).timestamp()
