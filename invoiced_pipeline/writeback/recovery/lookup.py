"""How the outcome of a request is found out afterwards: by number, marker, comparison, or GET.

The ledger keeps the question before the request is made, without the row's values: a number, a
marker, and digests of the fields that are compared.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

import msgspec

from invoiced_pipeline.catalog.operations import MARKER, Operation, fill_path
from invoiced_pipeline.exceptions import RequestRefusedError
from invoiced_pipeline.invoiced.http.client import InvoicedClient
from invoiced_pipeline.invoiced.reading.pages import PER_PAGE
from invoiced_pipeline.nesting import array_elements, shallow
from invoiced_pipeline.writeback.plan.plan import PlannedRow
from invoiced_pipeline.writeback.recovery.digests import digest
from invoiced_pipeline.writeback.recovery.proof import answer_object, identity_of
from invoiced_pipeline.writeback.source.operation import included_params
from invoiced_pipeline.writeback.source.parts import Path, of_field, value_at
from invoiced_pipeline.writeback.validation.stored_values import metadata_text

Kind = Literal["number", "marker", "list", "record", "gone", "voided"]

CLOCKS_DIFFER = timedelta(minutes=5)
"""How far a record's `created_at` may lie before the request that made it."""

_MOST_PAGES = 100

_JSON = msgspec.json.Decoder()


class Lookup(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """A question to the API that tells what became of a request.

    Attributes:
        kind: `number` and `marker` find a record by what is unique, `list` by comparison; `record`
            compares one record, `gone` and `voided` see whether it still is there.
        path: Of the list, or of the record.
        params: Sent with it.
        name: The field of the number, or the metadata key of the marker.
        value: What it holds.
        digests: Of the compared fields' values, by their name in the record; a look-up by number
            of an older ledger has none.
    """

    kind: Kind
    path: str
    params: tuple[tuple[str, str], ...] = ()
    name: str = ""
    value: str = ""
    digests: dict[str, str] = {}

    def encode(self) -> str:
        """The question as JSON, for the ledger."""
        return msgspec.json.encode(self).decode()


def decode(text: str | None) -> Lookup | None:
    """The question that a ledger entry holds."""
    return msgspec.json.decode(text, type=Lookup) if text else None


@dataclass(frozen=True, slots=True)
class Found:
    """What a look-up saw.

    Attributes:
        records: Records that may be the row's, as JSON; of a `record` the record.
        done: Whether they show that the request was carried out.
        certain: Whether `done` can be relied on; else there was nothing to compare.
        taken: Whether another record has the number, so that the request cannot have done it.
        doubtful: Whether a record has the number that may be the row's or somebody else's.
    """

    records: tuple[bytes, ...] = ()
    done: bool = False
    certain: bool = True
    taken: bool = False
    doubtful: bool = False


def lookup_for(
    operation: Operation, row: PlannedRow, mark: str | None, record_id: str | None
) -> Lookup | None:
    """The question that will tell what became of a row's request; None where nothing can.

    Args:
        operation: What is done.
        row: The row as it is sent.
        mark: The marker that its body carries, if it does.
        record_id: Of the record that `{id}` in its path stands for.
    """
    body = row.body or {}
    path = fill_path(row.path, {"id": record_id}) if record_id else row.path
    if row.batch is not None or operation.kind == "custom":
        return None
    if row.action in {"delete", "void"}:
        kind: Kind = "voided" if row.action == "void" else "gone"
        return Lookup(kind=kind, path=path.removesuffix("/void"))
    if row.action == "update":
        included = included_params(operation)
        compared = {name: value for name, value in body.items() if not of_field(row.parts, name)}
        digests = _digests(compared) | {
            ".".join(part): _part_digest(part, value_at(body, part)) for part in row.parts
        }
        return Lookup(kind="record", path=path, params=included, digests=digests)
    return _creation(operation, row, mark)


def _creation(operation: Operation, row: PlannedRow, mark: str | None) -> Lookup | None:
    key = operation.natural_key
    if key is None:
        return None
    body = row.body or {}
    params = (*key.list_params, *included_params(operation))
    number = body.get(key.number) if key.number else None
    if key.number and number not in {None, ""}:
        value = str(number).strip()
        return Lookup(
            kind="number",
            path=key.list_path,
            params=params,
            name=key.number,
            value=value,
            digests=_content(key.number, body),
        )
    if mark is not None:
        return Lookup(kind="marker", path=key.list_path, params=params, name=MARKER, value=mark)
    compared = {name: body[field] for field, name in key.compare if body.get(field) is not None}
    # A row's path has the parameters filled in, and is the list's.
    return Lookup(kind="list", path=row.path, params=params, digests=_digests(compared))


def ask(client: InvoicedClient, lookup: Lookup) -> Found:
    """Asks the API; of a list `identified` then tells which of the records is the row's.

    Raises:
        ApiError: There was no answer; nothing is known.
    """
    if lookup.kind in {"record", "gone", "voided"}:
        return _one(client, lookup)
    return Found(tuple(raw for raw, record in _listed(client, lookup) if _matches(lookup, record)))


def identified(
    lookup: Lookup,
    records: Sequence[bytes],
    free: Sequence[bytes],
    since: datetime | None,
    ahead: timedelta,
) -> Found:
    """What the records that answer a look-up say of the request.

    Args:
        lookup: By number, marker or list.
        records: Those that match.
        free: Those of them that are no other row's.
        since: When the request was sent (UTC, our clock); None where that is not known.
        ahead: How far the API's clock is ahead of ours now. It may have been less then, so that
            records between are neither surely older nor surely newer.
    """
    if lookup.kind == "marker":
        return Found(tuple(free), bool(free))
    new = [raw for raw in free if since is None or created_since(raw, since + ahead)]
    earliest = since + min(ahead, timedelta()) if since else None
    between = [raw for raw in free if raw not in new and created_since(raw, earliest)]
    if lookup.kind == "list":
        certain = bool(lookup.digests) if new else not between
        return Found(tuple(new or between), bool(new), certain)
    return _numbered(lookup, records, free, new, between)


def _numbered(
    lookup: Lookup,
    records: Sequence[bytes],
    free: Sequence[bytes],
    new: Sequence[bytes],
    between: Sequence[bytes],
) -> Found:
    """By number: time alone proves nothing, for somebody else may have used it a moment before."""
    if not lookup.digests:  # of an older ledger
        return Found(tuple(new), bool(new), taken=bool(records) and not new)
    same = [raw for raw in free if _is_same(lookup, _JSON.decode(shallow(raw)))]
    ours = [raw for raw in new if raw in same]
    if ours:
        return Found(tuple(ours), done=True)
    if same or new or between:
        return Found(tuple(same or new or between), doubtful=True)
    return Found(taken=bool(records))


def _is_same(lookup: Lookup, record: Mapping[str, Any]) -> bool:
    """Whether a record shows what was sent; some of it has to be shown."""
    shown = {name: asked for name, asked in lookup.digests.items() if name in record}
    return bool(shown) and all(digest(name, record[name]) == each for name, each in shown.items())


def _one(client: InvoicedClient, lookup: Lookup) -> Found:
    body = client.record(lookup.path, lookup.params)
    if body is None:
        return Found(done=lookup.kind != "record")
    record = _JSON.decode(shallow(body))
    if lookup.kind == "gone":
        return Found((body,))
    if lookup.kind == "voided":
        return Found((body,), record.get("status") == "voided")
    shown = {name: asked for name, asked in lookup.digests.items() if name.split(".")[0] in record}
    done = all(_holds(record, name, asked) for name, asked in shown.items())
    return Found((body,), done and bool(shown), bool(shown))


def _holds(record: Mapping[str, Any], name: str, asked: str) -> bool:
    """Whether a record has a field, or a part of one such as `metadata.crm`, as it was asked for.

    Only the part is compared: what is beside it may have been changed by anybody.
    """
    path = tuple(name.split("."))
    if len(path) > 1:
        return _part_digest(path, value_at(record, path)) == asked
    value = record[name]
    if name == "metadata" and isinstance(value, Mapping) and MARKER in value:
        without = {key: item for key, item in value.items() if key != MARKER}
        return asked in {digest(name, value), digest(name, without)}
    return digest(name, value) == asked


def _part_digest(path: Path, value: Any) -> str:
    is_metadata = "metadata" in path[:-1] and value is not None
    return digest(path[-1], metadata_text(value) if is_metadata else value)


def _listed(client: InvoicedClient, lookup: Lookup) -> Iterator[tuple[bytes, dict[str, Any]]]:
    """The records of a list that a look-up may mean, each beside its own JSON."""
    params = list(lookup.params)
    if lookup.kind == "number":
        params.append((f"filter[{lookup.name}]", lookup.value))
    elif lookup.kind == "marker":
        params.append((f"metadata[{lookup.name}]", lookup.value))
    seen: set[bytes] = set()
    for page in range(1, _MOST_PAGES + 1):
        body = client.list_page(lookup.path, (*params, ("page", str(page)))).body
        raws = array_elements(body)
        # Payment sources come whole on every page (observed).
        yield from ((raw, _JSON.decode(shallow(raw))) for raw in raws if raw not in seen)
        if len(raws) < PER_PAGE or seen.issuperset(raws):
            return
        seen.update(raws)
    message = f"GET {lookup.path}: more than {_MOST_PAGES} pages to compare"
    raise RequestRefusedError(message, path=lookup.path)


def _matches(lookup: Lookup, record: Mapping[str, Any]) -> bool:
    # The API skips filters that it does not understand (observed): each record is looked at.
    if lookup.kind == "number":
        return str(record.get(lookup.name)).casefold() == lookup.value.casefold()
    if lookup.kind == "marker":
        metadata = record.get("metadata")
        return isinstance(metadata, dict) and metadata.get(lookup.name) == lookup.value
    return all(digest(name, record.get(name)) == asked for name, asked in lookup.digests.items())


def record_id(record: bytes | None) -> str | None:
    """The id of a record as text; None where it has none."""
    return identity_of(answer_object(record))


def created_since(record: bytes, since: datetime | None) -> bool:
    """Whether a record may have been made by a request sent at `since` (UTC, the API's clock)."""
    made = _JSON.decode(shallow(record)).get("created_at")
    if since is None or not isinstance(made, int | float):
        return True
    return made >= (since - CLOCKS_DIFFER).timestamp()


def _content(number: str, body: Mapping[str, Any]) -> dict[str, str]:
    """Digests of what a record shows as it was sent: single values and metadata, not the lines."""
    return _digests(
        {
            name: value
            for name, value in body.items()
            if name != number
            and (name == "metadata" or not isinstance(value, Mapping | list | tuple))
            and value is not None
            and value not in ("", {})
        }
    )


def _digests(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: digest(name, value) for name, value in values.items()}
