"""Hides columns of all tables in JSON that holds whole records, such as the data of an event.

A record says by its field `object` what it is, or the field that holds it does (`customer`). The
former values of an event's record are of the same kind as the record.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from invoiced_pipeline.catalog import ALL_TABLES
from invoiced_pipeline.catalog.model import Treatment

if TYPE_CHECKING:
    from invoiced_pipeline.selection.privacy import Privacy

Names = Mapping[str, Treatment]

_TABLES: dict[str, tuple[str, ...]] = {
    name: (table.name,) for table in ALL_TABLES for name in (table.singular, *table.objects)
}
"""Tables by what `object` says of a record."""

_TABLES_OF_KIND: dict[str, tuple[str, ...]] = {
    kind: tuple(
        table.name
        for table in ALL_TABLES
        if kind == table.singular or (table.deletion_event or "").startswith(f"{kind}.")
    )
    for kind in _TABLES
}
"""Tables by the first part of an event's type: adjustments have events of transactions, too."""


class EmbeddedRecords:
    """Redacts JSON documents that hold records.

    Args:
        privacy: What is hashed and dropped.
        personal: Treatment of fields inside objects that describe people, in any table.
    """

    def __init__(self, privacy: "Privacy", personal: Names) -> None:
        self._privacy = privacy
        self._personal = personal

    def redact(self, document: Any, kind: str) -> tuple[Any, dict[str, str]]:
        """Returns the redacted document, and the texts that were replaced everywhere in it.

        Args:
            document: Parsed JSON: an event's data, or former values of its record.
            kind: The kind of record if it does not say so itself, such as `invoice`.
        """
        record = document.get("object") if isinstance(document, dict) else None
        if not isinstance(record, dict):
            record, document = document, {"object": document}
            kept, secrets = self._redact(document, record, kind)
            return kept["object"], secrets
        return self._redact(document, record, kind)

    def _redact(
        self, document: dict[str, Any], record: Any, kind: str
    ) -> tuple[dict[str, Any], dict[str, str]]:
        tables = _tables_of(record) or _TABLES_OF_KIND.get(kind, ())
        secrets: dict[str, str] = {}
        for value in document.values():
            for name, found in _records(value, tables):
                secrets |= self._privacy.secrets(self._privacy.rules(name), found)
        names = {} if tables else self._personal
        kept = {
            name: self._value(value, tables, names, secrets) for name, value in document.items()
        }
        return kept, secrets

    def _value(
        self, value: Any, tables: tuple[str, ...], names: Names, secrets: Mapping[str, str]
    ) -> Any:
        """Returns a value with its fields treated.

        Args:
            value: Any JSON value.
            tables: The tables whose record it may be, if it does not say so itself.
            names: Treatment of fields that none of these tables knows.
            secrets: Texts to replace.
        """
        if isinstance(value, list):
            return [self._value(each, tables, names, secrets) for each in value]
        if not isinstance(value, dict):
            return self._privacy.replaced(value, secrets)
        tables = _tables_of(value) or tables
        rules = [self._privacy.rules(name) for name in tables]
        hidden: dict[str, Treatment] = dict(names)
        for each in rules:
            hidden |= {name: how for name, how in each.outside.items() if name in each.people}
            hidden |= each.hidden
        kept: dict[str, Any] = {}
        for name, each in value.items():
            inner: dict[str, Treatment] = {} if rules else dict(names)
            for rule in rules:
                inner |= rule.inside(name)
            kept[name] = (
                self._privacy.treated(hidden[name], each)
                if name in hidden
                else self._value(each, _TABLES.get(name, ()), inner, secrets)
            )
        return kept


def _tables_of(value: Any) -> tuple[str, ...]:
    said = value.get("object") if isinstance(value, dict) else None
    return _TABLES.get(said, ()) if isinstance(said, str) else ()


def _records(value: Any, tables: tuple[str, ...]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields all records in a value, each with the name of its table."""
    if isinstance(value, list):
        for each in value:
            yield from _records(each, tables)
    elif isinstance(value, dict):
        for name in _tables_of(value) or tables:
            yield name, value
        for name, each in value.items():
            yield from _records(each, _TABLES.get(name, ()))
