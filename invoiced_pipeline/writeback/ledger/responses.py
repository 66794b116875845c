"""`_writeback_responses`: the API's last answer to every row, so that created ids can be joined."""

from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass, fields
from datetime import datetime

from invoiced_pipeline.warehouse.database import Database, Session

RESPONSES = "_writeback_responses"

_CHUNK = 200
"""Rows in one statement; answers are long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One answer.

    Attributes:
        writeback: Name of the write-back.
        record_key: The row's key; there is one answer per key, the last one.
        status_code: HTTP status; NULL where the record was found by a look-up.
        invoiced_id: The record's id.
        response: The answer as it came, JSON; of a refusal its error.
        verified: Whether the record is as it was asked for; NULL where that cannot be told.
        drift: Where it is not: a JSON array of the fields, with what was asked and what is.
        received_at: When it came (UTC).
    """

    writeback: str
    record_key: str
    status_code: int | None
    invoiced_id: str | None
    response: str | None
    verified: bool | None
    drift: str | None
    received_at: datetime


_COLUMNS = tuple(field.name for field in fields(Response))
_TYPES = {
    "status_code": "bigint",
    "verified": "boolean",
    "received_at": "timestamp with time zone",
}
_DECLARED = ", ".join(f'"{name}" {_TYPES.get(name, "text")}' for name in _COLUMNS)
_NAMES = ", ".join(f'"{name}"' for name in _COLUMNS)
_PLACES = f"({', '.join(['%s'] * len(_COLUMNS))})"
_UPDATES = ", ".join(f'"{name}" = excluded."{name}"' for name in _COLUMNS[2:])


def write_responses(session: Session, responses: Sequence[Response]) -> None:
    """Keeps some answers, each record key once, in place of the ones before.

    Raises:
        WarehouseError: As of `Session.run`.
    """
    session.run(
        f"create table if not exists {RESPONSES} ({_DECLARED}, primary key (writeback, record_key))"
    )
    for some in _chunks(list({each.record_key: each for each in responses}.values())):
        values = ", ".join([_PLACES] * len(some))
        session.run(
            f"insert into {RESPONSES} ({_NAMES}) values {values} "  # noqa: S608 - our own names
            f"on conflict (writeback, record_key) do update set {_UPDATES}",
            [value for each in some for value in astuple(each)],
        )


def read_response(database: Database, dataset: str, writeback: str, record_key: str) -> str | None:
    """The API's last answer to a row, JSON; None where there is none.

    Raises:
        WarehouseError: The warehouse cannot be read.
    """
    if not database.exists():
        return None
    with database.session(dataset, read_only=True) as session:
        if RESPONSES not in session.tables():
            return None
        sql = f"select response from {RESPONSES} where writeback = %s and record_key = %s"  # noqa: S608
        found = session.rows(sql, [writeback, record_key])
    return found[0][0] if found else None


def _chunks(responses: Sequence[Response]) -> Iterator[Sequence[Response]]:
    for start in range(0, len(responses), _CHUNK):
        yield responses[start : start + _CHUNK]
