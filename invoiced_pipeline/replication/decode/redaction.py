"""The redaction of records: hashed and dropped values are replaced while records are decoded."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import msgspec

from invoiced_pipeline.catalog import Column, Table
from invoiced_pipeline.replication.decode.records import Reject
from invoiced_pipeline.selection.privacy import Privacy, kind_of, replace_secrets


class RecordRedactor:
    """Redacts one table's records; it costs nothing if all columns are kept.

    Args:
        table: The table as the connection selects it.
        privacy: What is hashed and dropped.

    Attributes:
        columns: The columns to decode records with: values that are not loaded stay bytes.
        unread: Columns that are not loaded.
    """

    def __init__(self, table: Table, privacy: Privacy) -> None:
        self.columns = tuple(_decoded(column, table) for column in table.columns)
        self.unread = tuple(column.name for column in table.columns if not column.is_read)
        self._table = table.name
        self._privacy = privacy
        rules = self._rules = privacy.rules(table.name)
        self._hashed = [name for name, how in rules.hidden.items() if how == "hashed"]
        self._dropped = [name for name, how in rules.hidden.items() if how == "dropped"]
        read = [column for column in table.columns if column.treatment == "kept"]
        self._texts = [column.name for column in read if column.type == "text" and rules.hidden]
        insides = {
            column.name: rules.inside(column.name) for column in read if column.type == "json"
        }
        self._insides = {name: inside for name, inside in insides.items() if inside or rules.hidden}
        self._embedding = [
            column.name for column in read if column.embeds_records and privacy.treatments
        ]
        self._is_idle = not (rules.hidden or self._insides or rules.personal or self._embedding)

    def apply(self, records: Iterable[Any]) -> None:
        """Hashes and drops values, in place."""
        if self._is_idle:
            return
        for record in records:
            self._redact(record)

    def reject_body(self, record: Any) -> bytes:
        """Returns a redacted record as JSON, without columns that are not loaded."""
        for name in self.unread:
            setattr(record, name, None)
        return msgspec.json.encode(record)

    def redact_rejects(self, rejects: Sequence[Reject]) -> list[Reject]:
        """Returns rejects whose record and reason show no hashed or dropped value."""
        if not self._rules.own and not self._rules.personal and not self._embedding:
            return list(rejects)
        return [self._kept(reject) for reject in rejects]

    def _redact(self, record: Any) -> None:
        secrets = self._privacy.secrets(self._rules, self._clear_values(record))
        for name in self._embedding:
            raw = bytes(getattr(record, name))
            kind = record.type if isinstance(record.type, str) else None
            kept, more = self._privacy.embedded(raw, kind_of(kind))
            secrets |= more
            if kept is not raw:
                setattr(record, name, msgspec.Raw(kept))
        for name in self._hashed:
            value = getattr(record, name)
            if value is not None:
                setattr(record, name, self._privacy.hashed(value))
        for name, inside in self._insides.items():
            raw = bytes(getattr(record, name))
            kept = self._privacy.inner(raw, inside, secrets)
            if kept is not raw:
                setattr(record, name, msgspec.Raw(kept))
        if record.extra_json is not None:
            extra = record.extra_json.encode()
            record.extra_json = self._privacy.inner(extra, self._rules.personal, secrets).decode()
        if secrets:
            self._redact_texts(record, secrets)

    def _redact_texts(self, record: Any, secrets: Mapping[str, str]) -> None:
        texts = [(name, text) for name in self._texts if (text := getattr(record, name))]
        # Most texts hold none of them: one search in all texts together is cheaper.
        together = "\n".join(text for _, text in texts).lower()
        if any(secret.lower() in together for secret in secrets):
            for name, text in texts:
                setattr(record, name, replace_secrets(text, secrets))

    def _clear_values(self, record: Any) -> dict[str, Any]:
        values = {name: getattr(record, name) for name in self._hashed}
        for name in self._dropped:
            raw = bytes(getattr(record, name))
            if raw[:1] == b'"':
                values[name] = msgspec.json.decode(raw)
        return values

    def _kept(self, reject: Reject) -> Reject:
        reason = self._privacy.redact_text(self._table, reject.record, reject.reason)
        record = self._privacy.redact(self._table, reject.record).encode()
        return Reject(reject.id, reason, record)


def _decoded(column: Column, table: Table) -> Column:
    """Returns the column as it is decoded; one that is not loaded stays bytes."""
    if column.is_read or column.name in table.decides_by:
        return column
    return replace(column, type="json")
