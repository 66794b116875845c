"""Typed records from the bytes of a page: decimals are exact, unknown fields are kept.

A page is decoded in one of three ways, the fast ones first: all fields known and well typed;
unknown fields as well; and field by field, if a value is not in the form of the API reference.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import msgspec

from invoiced_pipeline.catalog import Column, ColumnType
from invoiced_pipeline.nesting import TOO_DEEP, decode
from invoiced_pipeline.replication.decode.columns import EXTRA
from invoiced_pipeline.windows import EARLIEST_SECOND, LAST_SECOND, is_storable

_TURNED_ROWS = 500
"""Records turned to columns at a time: thousands fit no cache, and take twice as long each."""

_MAX_BIGINT = 2**63
_MAX_MONEY = Decimal(10) ** 28
"""DECIMAL(38,10) has 28 places before the point."""


_Bigint: Any = Annotated[int, msgspec.Meta(ge=-_MAX_BIGINT, le=_MAX_BIGINT - 1)]
_Epoch: Any = Annotated[int, msgspec.Meta(ge=EARLIEST_SECOND, le=LAST_SECOND)]


@dataclass(frozen=True, slots=True)
class Reject:
    """A record that cannot be typed.

    Attributes:
        id: The record's primary key, if it has one.
        reason: Which field holds what.
        record: The record as JSON.
    """

    id: str
    reason: str
    record: bytes


_any_fields = msgspec.json.Decoder(dict[str, msgspec.Raw])


class UntypableError(ValueError):
    """A field's value fits its column in no form."""


def _struct_type(column: Column) -> Any:
    """Returns what msgspec decodes a column's values to; Raw keeps JSON as it was sent."""
    types: dict[ColumnType, Any] = {
        "bigint": _Bigint | None,
        "timestamp": _Epoch | None,
        "text": str | None,
        "boolean": bool | None,
        "decimal": Decimal | None,
        "json": msgspec.Raw,
    }
    return types[column.type]


def by_column(columns: Sequence[Column], records: Sequence[Any]) -> dict[str, Sequence[Any]]:
    """Returns the values of some records by column, `_extra` included.

    Args:
        columns: The columns that the records were decoded with.
        records: Structs of one decoder.
    """
    names = [*(column.name for column in columns), EXTRA]
    values: list[list[Any]] = [[] for _ in names]
    for start in range(0, len(records), _TURNED_ROWS):
        some = map(msgspec.structs.astuple, records[start : start + _TURNED_ROWS])
        for column, more in zip(values, zip(*some, strict=True), strict=True):
            column.extend(more)
    return dict(zip(names, values, strict=True))


class RecordDecoder:
    """Decodes arrays of one kind of record into structs with one attribute per column."""

    def __init__(self, name: str, columns: Iterable[Column], *, key: str | None = None) -> None:
        """Builds the decoders.

        Args:
            name: Name of the record, for error texts.
            columns: The known fields.
            key: The field that a record must have; None if there is none.
        """
        self._columns = {column.name: column for column in columns}
        self._key = key
        fields: list[Any] = [
            (
                column.name,
                _struct_type(column),
                msgspec.Raw(b"null") if column.type == "json" else None,
            )
            for column in self._columns.values()
        ]
        fields.append(("extra_json", str | None, None))
        # In JSON it has a name that no field of the API has, so that no field is taken for it.
        options: dict[str, Any] = {"rename": {"extra_json": "invoiced-pipeline:extra"}, "gc": False}
        self.record_type: Any = msgspec.defstruct(name, fields, **options)
        strict = msgspec.defstruct(name, fields, forbid_unknown_fields=True, **options)
        self._strict = msgspec.json.Decoder(list[strict])
        self._tolerant = msgspec.json.Decoder(list[self.record_type])
        self._fields = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
        self._seen_unknown = False
        self.unknown_fields: set[str] = set()
        """Names of the fields seen so far that have no column."""

    def decode(self, body: bytes) -> tuple[list[Any], list[Reject]]:
        """Returns the records of a JSON array of objects, and those that cannot be typed.

        Raises:
            msgspec.MsgspecError: The bytes are not a JSON array of objects.
        """
        if not self._seen_unknown:
            try:
                return self._require_key(self._strict.decode(body)), []
            except (msgspec.ValidationError, UntypableError):
                pass
        try:
            records = self._tolerant.decode(body)
            self._attach_unknown(records, body)
            return self._require_key(records), []
        except (msgspec.ValidationError, UntypableError):
            return self._decode_by_field(body)

    def _require_key(self, records: list[Any]) -> list[Any]:
        if self._key and any(getattr(record, self._key) is None for record in records):
            raise UntypableError(self._key)
        return records

    def _attach_unknown(self, records: list[Any], body: bytes) -> None:
        """Puts fields without a column into `extra_json`."""
        known = self._columns.keys()
        for record, fields in zip(records, self._fields.decode(body), strict=True):
            unknown = {name: raw for name, raw in fields.items() if name not in known}
            if unknown:
                self._seen_unknown = True
                self.unknown_fields.update(unknown)
                record.extra_json = msgspec.json.encode(unknown).decode()

    def _decode_by_field(self, body: bytes) -> tuple[list[Any], list[Reject]]:
        records: list[Any] = []
        rejects: list[Reject] = []
        for fields in self._fields.decode(body):
            try:
                records.append(self._coerce_record(fields))
            except UntypableError as error:
                identity = bytes(fields.get(self._key or "", b"null")).decode().strip('"')
                rejects.append(Reject(identity, str(error), msgspec.json.encode(fields)))
        return records, rejects

    def _coerce_record(self, fields: dict[str, msgspec.Raw]) -> Any:
        values: dict[str, Any] = {}
        extra: dict[str, msgspec.Raw] = {}
        for name, raw in fields.items():
            column = self._columns.get(name)
            if column is None:
                extra[name] = raw
                self.unknown_fields.add(name)
            elif column.type == "json":
                values[name] = raw
            else:
                values[name], is_exact = _coerce(column, raw)
                if not is_exact:
                    extra[name] = raw
        if self._key and values.get(self._key) is None:
            msg = f"{self._key} is missing"
            raise UntypableError(msg)
        record = self.record_type(**values)
        if extra:
            record.extra_json = msgspec.json.encode(extra).decode()
        return record


def too_deep(record: bytes, key: str) -> Reject:
    """Returns the reject for a record that is nested too deeply to be decoded."""
    fields = decode(_any_fields, record)
    identity = bytes(fields.get(key, b"null")).decode().strip('"')
    return Reject(identity, TOO_DEEP, record)


def _coerce(column: Column, raw: msgspec.Raw) -> tuple[Any, bool]:
    """Returns a value as its column's type, and whether nothing of the raw value was lost.

    Raises:
        UntypableError: The value does not fit.
    """
    try:
        value = msgspec.json.decode(raw)
        if value is None:
            return None, True
        if value == "" and column.type not in {"text", "boolean"}:
            return None, False  # the API uses "" for null, too (observed)
        if isinstance(value, int | float) and not isinstance(value, bool):
            value = Decimal(bytes(raw).decode())
        return _COERCIONS[column.type](value, raw)
    except (ValueError, InvalidOperation, OverflowError, msgspec.MsgspecError) as error:
        shown = "a personal value" if column.sensitive else bytes(raw)[:40].decode(errors="replace")
        msg = f"{column.name}: {shown} is no {column.type}"
        raise UntypableError(msg) from error


def _as_text(value: Any, raw: msgspec.Raw) -> tuple[str, bool]:
    return (value, True) if isinstance(value, str) else (bytes(raw).decode(), True)


def _as_decimal(value: Any, _: msgspec.Raw) -> tuple[Decimal, bool]:
    number = Decimal(value.strip()) if isinstance(value, str) else value
    if not isinstance(number, Decimal) or not number.is_finite() or abs(number) >= _MAX_MONEY:
        raise ValueError(value)
    return number, True


def _as_bigint(value: Any, _: msgspec.Raw) -> tuple[int, bool]:
    number, _exact = _as_decimal(value, _)
    if number != number.to_integral_value() or abs(number) >= _MAX_BIGINT:
        raise ValueError(value)
    return int(number), True


def _as_timestamp(value: Any, raw: msgspec.Raw) -> tuple[int, bool]:
    """Returns epoch seconds, also of ISO texts; a fraction is cut off, and kept in `_extra`."""
    if isinstance(value, str) and not re.fullmatch(r"\s*-?\d+(\.\d+)?\s*", value):
        instant = datetime.fromisoformat(value)
        instant = instant if instant.tzinfo else instant.replace(tzinfo=UTC)
        return int(instant.timestamp() // 1), False
    number, _exact = _as_decimal(value, raw)
    if not is_storable(number):
        raise ValueError(value)
    return int(number // 1), number == int(number)


def _as_boolean(value: Any, _: msgspec.Raw) -> tuple[bool, bool]:
    """Takes 0 and 1, too; any other text counts as true, and is kept (an approver's initials)."""
    if isinstance(value, bool):
        return value, True
    if isinstance(value, Decimal) and value in {0, 1}:
        return bool(value), True
    if isinstance(value, str):
        plain = {"true": True, "1": True, "false": False, "0": False, "": False}
        lowered = value.strip().lower()
        return plain.get(lowered, True), lowered in plain
    raise ValueError(value)


_COERCIONS: dict[ColumnType, Callable[[Any, msgspec.Raw], tuple[Any, bool]]] = {
    "text": _as_text,
    "decimal": _as_decimal,
    "bigint": _as_bigint,
    "timestamp": _as_timestamp,
    "boolean": _as_boolean,
}
