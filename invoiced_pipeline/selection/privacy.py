"""Hashes and drops private values everywhere in a record, not only in their own column.

A customer's email is also the `receipt_email` of a card, and may appear in notes and custom
fields. Values are therefore found by field name in objects that describe people, and by content in
the whole of their own record.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from pydantic import SecretStr

from invoiced_pipeline.catalog import ALL_TABLES, OPTIONAL_TABLE_NAMES
from invoiced_pipeline.catalog import table as catalog_table
from invoiced_pipeline.catalog.model import Column, Table, Treatment
from invoiced_pipeline.exact_json import DECODER, decode_exact
from invoiced_pipeline.nesting import decode, shallow
from invoiced_pipeline.selection.embedded_records import EmbeddedRecords
from invoiced_pipeline.selection.tables import all_tables_of
from invoiced_pipeline.settings import ConnectionSettings

LEAST_LENGTH = 5
"""Shorter values are not searched for in other texts: `TX` is part of many unrelated words."""

DROPPED = "[dropped]"
"""Replaces a dropped value inside other texts."""

METADATA = "metadata"

_HASH = re.compile("[0-9a-f]{64}")

_TABLE_OF = {name: table.name for table in ALL_TABLES for name in (table.singular, *table.objects)}

_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Rules:
    """How one table's records are treated.

    Attributes:
        own: Treatment of the record's own fields.
        hidden: Those of them that are hashed or dropped.
        plain: Hidden columns that are not personal: their words are common in other texts.
        personal: Treatment of fields inside objects that describe people, in any table.
        objects: JSON columns that hold such objects.
        known: All columns; fields outside the catalog may hold such objects, too.
        embedding: JSON columns that hold records of any table.
        people: Sensitive columns of records that are also parts of others, such as contacts.
    """

    own: Mapping[str, Treatment] = field(default_factory=dict)
    hidden: Mapping[str, Treatment] = field(default_factory=dict)
    plain: frozenset[str] = frozenset()
    personal: Mapping[str, Treatment] = field(default_factory=dict)
    objects: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    embedding: frozenset[str] = frozenset()
    people: frozenset[str] = frozenset()

    @property
    def outside(self) -> dict[str, Treatment]:
        """Treatment of the fields of a record that is stored outside its table."""
        return {
            name: how
            for name, how in self.personal.items()
            if name not in self.known or name in self.people
        }

    @property
    def dropped(self) -> tuple[str, ...]:
        """Names of the columns that are dropped."""
        return tuple(name for name, how in self.hidden.items() if how == "dropped")

    def inside(self, name: str) -> Mapping[str, Treatment]:
        """Returns the treatment of fields inside the record's field `name`."""
        if name in self.objects or name not in self.known:
            return self.personal
        return self.hidden if name == METADATA else {}


class Privacy:
    """The rules of one connection, and the salt.

    Args:
        tables: All tables, with the treatment of their columns.
        salt: Salt of the hashes; only needed if a column is hashed.

    Attributes:
        treatments: Hashed and dropped columns by table; empty if there are none.
        salt: The salt; empty if nothing is hashed.
        is_idle: Whether every column of every table is kept as it is.
    """

    def __init__(self, tables: Iterable[Table] = (), salt: SecretStr | None = None) -> None:
        every = tuple(tables)
        self.salt = salt.get_secret_value() if salt else ""
        self.treatments: dict[str, dict[str, Treatment]] = {}
        personal: dict[str, Treatment] = {}
        for table in every:
            hidden = {column.name: column for column in table.columns if _is_hidden(column)}
            if hidden:
                self.treatments[table.name] = {
                    name: column.treatment for name, column in hidden.items()
                }
            for name, column in hidden.items():
                if catalog_table(table.name).column(name).sensitive:
                    personal |= dict.fromkeys((name, *column.aliases), column.treatment)
        self._rules = {table.name: _rules(table, personal) for table in every}
        self.is_idle = not personal and not any(rules.own for rules in self._rules.values())
        self._elsewhere = Rules(personal=personal)
        self._embedded = EmbeddedRecords(self, personal)

    def rules(self, table: str) -> Rules:
        """Returns the rules for records of `table`, which need not be replicated."""
        return self._rules.get(table, self._elsewhere)

    def hashed(self, text: str) -> str:
        """Returns SHA-256 of salt and text (UTF-8) as 64 hexadecimal digits.

        A text that is already such a hash stays as it is, so that hashing again changes nothing.
        """
        if _HASH.fullmatch(text):
            return text
        return hashlib.sha256(f"{self.salt}{text}".encode()).hexdigest()

    def redact(self, table: str, record: str | bytes) -> str:
        """Redacts a record, or a list of records.

        Args:
            table: Name of the record's table; if it is no table, the record's `object` decides.
            record: JSON, as the API sent it.

        Returns:
            JSON with hashes for hashed columns, and null for dropped and excluded ones.
        """
        if self.is_idle:
            return record if isinstance(record, str) else record.decode(errors="replace")
        try:
            return self._redacted(table, record)
        except RecursionError:  # levels too deep to search are not kept
            content = record.encode() if isinstance(record, str) else record
            return self._redacted(table, shallow(content))

    def _redacted(self, table: str, record: str | bytes) -> str:
        try:
            document = decode_exact(record)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return '"not JSON: not kept, because some columns are hashed or left out"'
        records = document if isinstance(document, list) else [document]
        kept = [self._record(table, each) for each in records]
        return _encoder.encode(kept if isinstance(document, list) else kept[0]).decode()

    def secrets(self, rules: Rules, record: Mapping[str, Any]) -> dict[str, str]:
        """Returns the texts to search for in a record, each with its replacement."""
        return {
            value: self.hashed(value) if treatment == "hashed" else DROPPED
            for name, treatment in rules.hidden.items()
            if isinstance(value := record.get(name), str) and len(value) >= LEAST_LENGTH
            if not _HASH.fullmatch(value)
            if name not in rules.plain or any(map(str.isdigit, value))
        }

    def redact_text(self, table: str, record: str | bytes, text: str) -> str:
        """Redacts a text, such as an error, about a record of `table` (JSON)."""
        try:
            fields = decode(DECODER, record.encode() if isinstance(record, str) else record)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return text
        return replace_secrets(text, self.secrets(self.rules(table), fields))

    def inner(
        self, raw: bytes, names: Mapping[str, Treatment], secrets: Mapping[str, str]
    ) -> bytes:
        """Redacts JSON inside a record; returns the same bytes if there is nothing to hide."""
        if raw in {b"null", b"{}", b"[]"} or not _may_hold(raw, names, secrets):
            return raw
        return _encoder.encode(self._walk(decode_exact(raw), names, secrets))

    def embedded(self, raw: bytes, kind: str) -> tuple[bytes, dict[str, str]]:
        """Redacts JSON that holds records of any table, such as the data of an event.

        Args:
            raw: The JSON.
            kind: The kind of record if it does not say so itself, such as `invoice`.

        Returns:
            The JSON, the same bytes if there is nothing to hide; and the texts to search for in the
            other fields of its record, each with its replacement.
        """
        if not self.treatments or raw in {b"null", b"{}", b"[]"}:
            return raw, {}
        document = decode_exact(raw)
        kept, secrets = self._embedded.redact(document, kind)
        return (raw if kept == document else _encoder.encode(kept)), secrets

    def _record(self, table: str, record: Any) -> Any:
        if not isinstance(record, dict):
            return record
        rules = self._rules.get(table) or self.rules(_TABLE_OF.get(str(record.get("object")), ""))
        secrets = self.secrets(rules, record)
        record = dict(record)
        for name in rules.embedding & record.keys():
            record[name], more = self._embedded.redact(record[name], kind_of(record.get("type")))
            secrets |= more
        fields = {**rules.outside, **rules.own}
        return {
            name: self.treated(fields[name], value)
            if name in fields
            else self._walk(value, rules.inside(name), secrets)
            for name, value in record.items()
        }

    def _walk(self, value: Any, names: Mapping[str, Treatment], secrets: Mapping[str, str]) -> Any:
        if isinstance(value, dict):
            return {
                name: self.treated(names[name], each)
                if name in names
                else self._walk(each, names, secrets)
                for name, each in value.items()
            }
        if isinstance(value, list):
            return [self._walk(each, names, secrets) for each in value]
        return self.replaced(value, secrets)

    def replaced(self, value: Any, secrets: Mapping[str, str]) -> Any:
        """Returns a plain value; a text without the secrets in it."""
        return replace_secrets(value, secrets) if isinstance(value, str) else value

    def treated(self, treatment: str, value: Any) -> Any:
        """Returns the hash of a value, or None for a dropped one."""
        if treatment != "hashed" or value is None:
            return None
        if isinstance(value, dict):  # such as a drift: the value sent and the value in Invoiced
            return {name: self.treated(treatment, each) for name, each in value.items()}
        if isinstance(value, list):
            return [self.treated(treatment, each) for each in value]
        return self.hashed(value if isinstance(value, str) else _encoder.encode(value).decode())


def privacy_of(
    connection: ConnectionSettings, salt: Callable[[ConnectionSettings], SecretStr]
) -> Privacy:
    """Returns the privacy rules of `connection`.

    Args:
        connection: The connection.
        salt: Returns the salt, such as `Settings.hash_salt`; only called if a column is hashed.

    Raises:
        ConfigurationError: A name in the settings is wrong, or there is no salt.
    """
    tables = all_tables_of(connection)
    hashes = any(column.treatment == "hashed" for table in tables for column in table.columns)
    return Privacy(tables, salt(connection) if hashes else None)


def replace_secrets(text: str, secrets: Mapping[str, str]) -> str:
    """Replaces the secrets in a text, ignoring case."""
    for secret, instead in secrets.items():
        if secret.lower() in text.lower():
            text = re.sub(re.escape(secret), instead, text, flags=re.IGNORECASE)
    return text


def kind_of(event_type: object) -> str:
    """Returns the first part of an event's type: `invoice` for `invoice.paid`."""
    return str(event_type or "").partition(".")[0]


def _is_hidden(column: Column) -> bool:
    return column.treatment in {"hashed", "dropped"}


def _rules(table: Table, personal: Mapping[str, Treatment]) -> Rules:
    columns = catalog_table(table.name).columns
    return Rules(
        own={each.name: each.treatment for each in table.columns if each.treatment != "kept"},
        hidden={each.name: each.treatment for each in table.columns if _is_hidden(each)},
        plain=frozenset(each.name for each in columns if not each.sensitive),
        personal=personal,
        objects=frozenset(each.name for each in columns if each.type == "json" and each.sensitive),
        known=frozenset(each.name for each in columns),
        embedding=frozenset(each.name for each in columns if each.embeds_records),
        people=frozenset(
            each.name for each in columns if each.sensitive and table.name in OPTIONAL_TABLE_NAMES
        ),
    )


def _may_hold(raw: bytes, names: Mapping[str, Treatment], secrets: Mapping[str, str]) -> bool:
    """Whether the JSON may contain something to hide; escaped text has to be parsed to know."""
    if b"\\" in raw and secrets:
        return True
    if any(b'"%b"' % name.encode() in raw for name in names):
        return True
    lowered = raw.decode(errors="replace").lower() if secrets else ""
    return any(secret.lower() in lowered for secret in secrets)
