"""What is hashed or dropped of a connection's records, wherever its clear value could stand.

A column is one place of a value, not the only one: a customer's email is the `receipt_email` of a
card, and may stand in notes and custom fields. So values are looked for by name in objects that
tell of people, and as they are in the whole of their own record.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from pydantic import SecretStr

from invoiced_pipeline.catalog import TABLES
from invoiced_pipeline.catalog import table as catalog_table
from invoiced_pipeline.catalog.model import Column, Table, Treatment
from invoiced_pipeline.exact_json import DECODER, decode_exact
from invoiced_pipeline.nesting import decode, shallow
from invoiced_pipeline.selection.tables import all_tables_of
from invoiced_pipeline.settings import ConnectionSettings

LEAST_LENGTH = 5
"""Shorter values are not looked for inside other texts: `TX` stands in many that mean no state."""

DROPPED = "[dropped]"
"""Stands in other texts where a dropped value stood."""

METADATA = "metadata"

_HASH = re.compile("[0-9a-f]{64}")

_TABLE_OF = {table.singular: table.name for table in TABLES}

_encoder = msgspec.json.Encoder(decimal_format="number")


@dataclass(frozen=True, slots=True)
class Rules:
    """What becomes of one table's records.

    Attributes:
        own: Treatment of the record's own fields.
        hidden: What of it is hashed or dropped.
        plain: Hidden columns that are not personal: words of theirs mean many things elsewhere.
        personal: Treatment of fields inside objects that tell of people, whatever the table.
        objects: JSON columns that hold such objects.
        known: All columns; what is none of them may hold such objects, too.
    """

    own: Mapping[str, Treatment] = field(default_factory=dict)
    hidden: Mapping[str, Treatment] = field(default_factory=dict)
    plain: frozenset[str] = frozenset()
    personal: Mapping[str, Treatment] = field(default_factory=dict)
    objects: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()

    def inside(self, name: str) -> Mapping[str, Treatment]:
        """Treatment of the fields inside what a record holds as `name`."""
        if name in self.objects or name not in self.known:
            return self.personal
        return self.hidden if name == METADATA else {}


class Privacy:
    """The rules of one connection, and the salt.

    Args:
        tables: All tables, with the treatment of their columns.
        salt: Of the hashes; only needed where a column is hashed.

    Attributes:
        treatments: Columns that are hashed or dropped, by table; empty where there are none.
        salt: The salt's text; empty where nothing is hashed.
        is_idle: Whether all columns of all tables are kept as they are.
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

    def rules(self, table: str) -> Rules:
        """What becomes of records of `table`, also of one that is not replicated."""
        return self._rules.get(table, self._elsewhere)

    def hashed(self, text: str) -> str:
        """SHA-256 of the salt followed by the text (UTF-8), as 64 hexadecimal digits.

        What is such a hash already stays as it is: rows are treated once, however often.
        """
        if _HASH.fullmatch(text):
            return text
        return hashlib.sha256(f"{self.salt}{text}".encode()).hexdigest()

    def redact(self, table: str, record: str | bytes) -> str:
        """A record, or a list of some, as it may be kept.

        Args:
            table: Name of the table that the record belongs to; where it is none, the record's
                own `object` counts.
            record: JSON, as the API sent it.

        Returns:
            JSON: with hashes of what is hashed, null for what is dropped or left out.
        """
        if self.is_idle:
            return record if isinstance(record, str) else record.decode(errors="replace")
        try:
            return self._redacted(table, record)
        except RecursionError:  # what lies too deep cannot be looked through, so it is not kept
            content = record.encode() if isinstance(record, str) else record
            return self._redacted(table, shallow(content))

    def _redacted(self, table: str, record: str | bytes) -> str:
        try:
            document = decode_exact(record)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return '"no JSON: not kept, for some columns are hashed or left out"'
        records = document if isinstance(document, list) else [document]
        kept = [self._record(table, each) for each in records]
        return _encoder.encode(kept if isinstance(document, list) else kept[0]).decode()

    def secrets(self, rules: Rules, record: Mapping[str, Any]) -> dict[str, str]:
        """Texts to look for in a record, each with what takes its place."""
        return {
            value: self.hashed(value) if treatment == "hashed" else DROPPED
            for name, treatment in rules.hidden.items()
            if isinstance(value := record.get(name), str) and len(value) >= LEAST_LENGTH
            if not _HASH.fullmatch(value)
            if name not in rules.plain or any(map(str.isdigit, value))
        }

    def told(self, table: str, record: str | bytes, text: str) -> str:
        """A text about a record of `table` (JSON), without what must not be seen of it."""
        try:
            fields = decode(DECODER, record.encode() if isinstance(record, str) else record)
        except (msgspec.MsgspecError, UnicodeDecodeError):
            return text
        return without(text, self.secrets(self.rules(table), fields))

    def inner(
        self, raw: bytes, names: Mapping[str, Treatment], secrets: Mapping[str, str]
    ) -> bytes:
        """JSON inside a record, as it may be kept; the same bytes where nothing is to be hidden."""
        if raw in {b"null", b"{}", b"[]"} or not _may_hold(raw, names, secrets):
            return raw
        return _encoder.encode(self._walk(decode_exact(raw), names, secrets))

    def _record(self, table: str, record: Any) -> Any:
        if not isinstance(record, dict):
            return record
        rules = self._rules.get(table) or self.rules(_TABLE_OF.get(str(record.get("object")), ""))
        secrets = self.secrets(rules, record)
        fields = dict(rules.own)
        fields |= {each: how for each, how in rules.personal.items() if each not in rules.known}
        return {
            name: self._treated(fields[name], value)
            if name in fields
            else self._walk(value, rules.inside(name), secrets)
            for name, value in record.items()
        }

    def _walk(self, value: Any, names: Mapping[str, Treatment], secrets: Mapping[str, str]) -> Any:
        if isinstance(value, dict):
            return {
                name: self._treated(names[name], each)
                if name in names
                else self._walk(each, names, secrets)
                for name, each in value.items()
            }
        if isinstance(value, list):
            return [self._walk(each, names, secrets) for each in value]
        return without(value, secrets) if isinstance(value, str) else value

    def _treated(self, treatment: Treatment, value: Any) -> Any:
        if treatment != "hashed" or value is None:
            return None
        if isinstance(value, dict):  # such as what was sent beside what came back
            return {name: self._treated(treatment, each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._treated(treatment, each) for each in value]
        return self.hashed(value if isinstance(value, str) else _encoder.encode(value).decode())


def privacy_of(
    connection: ConnectionSettings, salt: Callable[[ConnectionSettings], SecretStr]
) -> Privacy:
    """What `connection` hashes, drops and leaves out, for a run.

    Args:
        connection: Whose settings count.
        salt: Gives the salt, such as `Settings.hash_salt`; only asked where a column is hashed.

    Raises:
        ConfigurationError: A name in the settings is wrong, or there is no salt.
    """
    tables = all_tables_of(connection)
    hashes = any(column.treatment == "hashed" for table in tables for column in table.columns)
    return Privacy(tables, salt(connection) if hashes else None)


def without(text: str, secrets: Mapping[str, str]) -> str:
    """A text with what takes the place of the secrets in it, whatever their case."""
    for secret, instead in secrets.items():
        if secret.lower() in text.lower():
            text = re.sub(re.escape(secret), instead, text, flags=re.IGNORECASE)
    return text


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
    )


def _may_hold(raw: bytes, names: Mapping[str, Treatment], secrets: Mapping[str, str]) -> bool:
    """Whether parsing is worth while; what is escaped can only be told by parsing."""
    if b"\\" in raw and secrets:
        return True
    if any(b'"%b"' % name.encode() in raw for name in names):
        return True
    lowered = raw.decode(errors="replace").lower() if secrets else ""
    return any(secret.lower() in lowered for secret in secrets)
