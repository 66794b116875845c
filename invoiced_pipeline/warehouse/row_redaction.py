"""The redaction of rows that were loaded before their columns were set to be hashed or dropped.

It is one transaction, and can be repeated: a value that is already a hash stays as it is. Then the
warehouse is rewritten, because a database keeps the old bytes of changed rows.
"""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from invoiced_pipeline.catalog import ALL_TABLES, ChildTable, Column, Table
from invoiced_pipeline.selection.privacy import Privacy, Rules, kind_of, replace_secrets
from invoiced_pipeline.warehouse.database import Database, Session

logger = logging.getLogger(__name__)

CHUNK = 500
"""Rows that are read and written together."""

_EXTRA = Column("_extra", "json", "")
_REJECT_KEY = (Column("table_name", "text", ""), Column("id", "text", ""))
_REJECT = (Column("reason", "text", ""), Column("record", "json", ""))
_RESPONSE_KEY = (Column("writeback", "text", ""), Column("record_key", "text", ""))
_RESPONSE = (Column("response", "text", ""),)
_LOG_TEXT = "records fit no column: see _rejected"

Row = dict[str, Any]


class RowRedactor:
    """Redacts the rows of one dataset.

    Args:
        database: The warehouse; the caller holds the writer's lock.
        dataset: The schema.
        privacy: What is hashed and dropped.
    """

    def __init__(self, database: Database, dataset: str, privacy: Privacy) -> None:
        self.privacy = privacy
        self._database = database
        self._dataset = dataset

    def run(self) -> None:
        """Redacts all tables of the dataset, and rewrites the warehouse.

        Raises:
            WarehouseError: Nothing was redacted, or old bytes are still on disk: repeat it.
        """
        if not self._database.exists():
            return
        with self._database.session(self._dataset) as session, session.transaction():
            existing = session.tables()
            for table in ALL_TABLES:
                if table.name in existing:
                    self._redact_table(session, table, existing)
                if table.versions_name in existing:
                    time = table.column(table.replication_key)
                    for _ in self._redact_rows(session, table, table.versions_name, time):
                        pass  # versions have no child rows
            self._redact_system_tables(session, existing)
        self._database.rewrite(self._dataset)
        logger.info("Rows loaded earlier no longer hold clear values of hashed and dropped columns")

    def _redact_table(self, session: Session, table: Table, existing: frozenset[str]) -> None:
        children = [child for child in table.children if table.child_name(child) in existing]
        for secrets in self._redact_rows(session, table, table.name):
            known = {record: each for record, each in secrets if each}
            for child in children if known else ():
                self._redact_children(session, table, child, known)
        for name in self.privacy.rules(table.name).dropped:
            for child in (child for child in children if child.array == name):
                session.run(f'delete from "{table.child_name(child)}"')  # noqa: S608

    def _redact_rows(
        self, session: Session, table: Table, name: str, *more_key: Column
    ) -> Iterator[Sequence[tuple[Any, Mapping[str, str]]]]:
        """Redacts the rows of one table; yields the ids and secrets of some rows at a time.

        Args:
            session: May write, in a transaction.
            table: Whose records the rows are.
            name: The table that holds them: the table itself, or its versions.
            more_key: The columns that identify a row together with the record's id.
        """
        rules = self.privacy.rules(table.name)
        # A newer version of the project may declare columns that the next load adds.
        existing = session.columns(name)
        found = _only(table, existing)
        is_any_hidden = bool(self.privacy.treatments)
        columns, where, values = _search(found, rules, is_any_hidden=is_any_hidden)
        key = (table.column(table.primary_key), *more_key)
        for rows in _chunks(session, name, key, columns, where, values):
            secrets = [self.privacy.secrets(rules, row) for row in rows]
            kept = [
                self._kept(rules, columns, row, each)
                for row, each in zip(rows, secrets, strict=True)
            ]
            _update(session, name, key, columns, list(zip(rows, kept, strict=True)))
            yield [(row[table.primary_key], each) for row, each in zip(rows, secrets, strict=True)]
        for column in existing.intersection(rules.dropped):
            session.run(f'update "{name}" set "{column}" = null')  # noqa: S608 - the catalog's

    def _redact_children(
        self,
        session: Session,
        table: Table,
        child: ChildTable,
        secrets: Mapping[Any, Mapping[str, str]],
    ) -> None:
        """Redacts the records' values in their child rows."""
        name, parent = table.child_name(child), table.parent_column
        key = (
            Column(parent, table.column(table.primary_key).type, ""),
            Column("_index", "bigint", ""),
        )
        existing = session.columns(name)
        texts = [
            column
            for column in child.columns
            if column.type in {"text", "json"} and column.name in existing
        ]
        where = f'"{parent}" in ({", ".join(["%s"] * len(secrets))})'
        rows = _rows(session, name, (*key, *texts, _EXTRA), where, list(secrets))
        kept = [self._kept(Rules(), (*texts, _EXTRA), row, secrets[row[parent]]) for row in rows]
        _update(session, name, key, (*texts, _EXTRA), list(zip(rows, kept, strict=True)))

    def _kept(
        self, rules: Rules, columns: Sequence[Column], row: Row, secrets: Mapping[str, str]
    ) -> Row:
        """Returns the redacted row."""
        kept, secrets = dict(row), dict(secrets)
        for name in rules.embedding & row.keys():
            raw = (row[name] or "null").encode()
            redacted, more = self.privacy.embedded(raw, kind_of(row.get("type")))
            secrets |= more
            if row[name] is not None:
                kept[name] = redacted.decode()
        for column in columns:
            if column.name in rules.embedding and column.name not in rules.hidden:
                continue
            value = row[column.name]
            if value is None:
                continue
            if column.name in rules.hidden:
                is_hashed = rules.hidden[column.name] == "hashed"
                kept[column.name] = self.privacy.hashed(value) if is_hashed else None
            elif column.type == "text":
                kept[column.name] = replace_secrets(value, secrets)
            else:
                names = rules.inside(column.name)
                kept[column.name] = self.privacy.inner(value.encode(), names, secrets).decode()
        return kept

    def _redact_system_tables(self, session: Session, existing: frozenset[str]) -> None:
        """Redacts records, and texts about them, in the system tables."""
        if "_rejected" in existing:
            rows = _rows(session, "_rejected", (*_REJECT_KEY, *_REJECT), "record is not null", ())
            kept = [row | self._kept_reject(row) for row in rows]
            pairs = list(zip(rows, kept, strict=True))
            _update(session, "_rejected", _REJECT_KEY, _REJECT, pairs)
        if "_sync_log" in existing:
            for name in self.privacy.treatments:  # their errors showed what did not fit
                session.run(
                    f"update _sync_log set error = '{_LOG_TEXT}' "  # noqa: S608 - our own text
                    "where table_name = %s and error like '%%fit%% no column%%First:%%'",
                    [name],
                )
        if "_writeback_responses" in existing:
            columns = (*_RESPONSE_KEY, *_RESPONSE)
            rows = _rows(session, "_writeback_responses", columns, "response is not null", ())
            kept = [row | {"response": self.privacy.redact("", row["response"])} for row in rows]
            pairs = list(zip(rows, kept, strict=True))
            _update(session, "_writeback_responses", _RESPONSE_KEY, _RESPONSE, pairs)

        if "_writeback_plan" in existing:  # the next plan fills it again
            session.run("delete from _writeback_plan")

    def _kept_reject(self, row: Row) -> Row:
        table, record = row["table_name"], row["record"]
        reason = self.privacy.redact_text(table, record, row["reason"] or "")
        return {"reason": reason, "record": self.privacy.redact(table, record)}


def _only(table: Table, existing: Collection[str]) -> Table:
    """Returns the table with only the columns that exist."""
    kept = (column for column in table.columns if column.name in existing)
    return replace(table, columns=tuple(kept))


def _search(
    table: Table, rules: Rules, *, is_any_hidden: bool
) -> tuple[list[Column], str, list[str]]:
    """Returns the columns that can hold clear values, and a condition on rows with its values."""
    if rules.hidden or (rules.embedding and is_any_hidden):
        texts = [column for column in table.columns if column.type in {"text", "json"}]
        return [*(each for each in texts if each.name != table.primary_key), _EXTRA], "true", []
    objects = [column for column in table.columns if column.name in rules.objects]
    columns = [*objects, _EXTRA]
    tests = [(column.name, f'%"{name}"%') for column in columns for name in rules.personal]
    where = " or ".join(f'cast("{name}" as text) like %s' for name, _ in tests)
    return columns, where or "false", [pattern for _, pattern in tests]


def _chunks(  # noqa: PLR0913, PLR0917 - what a query is made of
    session: Session,
    name: str,
    key: Sequence[Column],
    columns: Sequence[Column],
    where: str,
    values: Sequence[Any],
) -> Iterator[list[Row]]:
    """Yields the rows of a table in the order of the key's first column, the record's id."""
    columns, record, last = (*key, *columns), key[0].name, None
    while True:
        after, bound = ("", ()) if last is None else (f' and "{record}" > %s', (last,))
        order = f'({where}){after} order by "{record}" limit {CHUNK}'
        rows = _rows(session, name, columns, order, [*values, *bound])
        is_last = len(rows) < CHUNK
        if not is_last:
            last = rows[-1][record]
        if not is_last and len(key) > 1:  # other rows of the last id may not be among them
            rest = f'({where}) and "{record}" = %s'
            rows = [row for row in rows if row[record] != last]
            rows += _rows(session, name, columns, rest, [*values, last])
        if rows:
            yield rows
        if is_last:
            return


def _rows(
    session: Session, name: str, columns: Sequence[Column], where: str, values: Sequence[Any]
) -> list[Row]:
    names = [column.name for column in columns]
    shown = ", ".join(f'"{each}"' for each in names)
    found = session.rows(f'select {shown} from "{name}" where {where}', values)  # noqa: S608
    return [dict(zip(names, row, strict=True)) for row in found]


def _update(
    session: Session,
    name: str,
    key: Sequence[Column],
    columns: Sequence[Column],
    pairs: Sequence[tuple[Row, Row]],
) -> None:
    """Writes the rows that differ; each pair is a row before and after redaction."""
    changed = [after for before, after in pairs if after != before]
    wanted = [
        column
        for column in columns
        if any(after[column.name] != before[column.name] for before, after in pairs)
    ]
    declared = (*key, *wanted)
    place = ", ".join(f"cast(%s as {column.type})" for column in declared)
    for start in range(0, len(changed), CHUNK):
        some = changed[start : start + CHUNK]
        sets = ", ".join(f'"{column.name}" = v."{column.name}"' for column in wanted)
        same = f'"{name}"."{key[0].name}" = v."{key[0].name}"'  # which an index can find
        for column in key[1:]:
            same += f' and "{name}"."{column.name}" is not distinct from v."{column.name}"'
        names = ", ".join(f'"{column.name}"' for column in declared)
        session.run(
            f'update "{name}" set {sets} from (values {", ".join([f"({place})"] * len(some))}) '  # noqa: S608 - names of the catalog
            f"as v({names}) where {same}",
            [row[column.name] for row in some for column in declared],
        )
