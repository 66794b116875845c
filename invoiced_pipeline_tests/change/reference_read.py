"""What the API has, read page by page as a script would, and whether the replica has the same.

Nothing here is shared with the reading under test but the catalog's names and types.
"""

import json
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx

from invoiced_emulator.server import Emulator
from invoiced_pipeline.catalog import ALL_TABLES, ChildTable, Column, Table, table
from invoiced_pipeline_tests.conftest import Replica

Record = dict[str, Any]
Records = dict[Any, Record]
"""The records of a table by id."""

_ASKED_FOR: dict[str, list[dict[str, str]]] = {
    "subscriptions": [{"all": "1"}],
    "payments": [{"include": "applied_to"}],
    "credit_balance_adjustments": [{"include": "updated_at"}],
    **{
        name: [{"archived": flag, "include": "archived,internal_id"} for flag in ("1", "0")]
        for name in ("plans", "items", "coupons", "tax_rates")
    },
    "events": [{"include": "user"}],
    "payment_sources": [{"include_hidden": "1"}],
}
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def all_records(emulator: Emulator, names: Sequence[str]) -> dict[str, Records]:
    """Every record that the API lists, table by table, while nothing changes."""
    auth = (emulator.api_key, "")
    with httpx.Client(base_url=emulator.url, auth=auth) as client:
        return {
            name: _listed(client, of) if (of := table(name)).parent is None else _below(client, of)
            for name in names
        }


def _below(client: httpx.Client, of: Table) -> Records:
    """The records of all customers, or of all invoices that name a payment plan."""
    found: Records = {}
    is_plan = of.name == "payment_plans"
    parents = _listed(client, table("invoices" if is_plan else "customers"))
    for parent, record in parents.items():
        if is_plan and record["payment_plan"] is None:
            continue
        path = of.path.format(customer_id=parent, invoice_id=parent)
        answer = client.get(path, params=_ASKED_FOR.get(of.name, [{}])[0] | {"per_page": "100"})
        if answer.status_code == 404:  # an invoice that was restored names a plan that is gone
            continue
        answered = json.loads(answer.text, parse_float=Decimal)
        for each in [answered] if is_plan else answered:
            each["invoice_id" if is_plan else "customer_id"] = parent
            each["source_key"] = f"{each['object']}:{each['id']}"
            found[each[of.primary_key]] = each
    if of.primary_key == "id":
        for each in found.values():
            del each["source_key"]
    return found


def _listed(client: httpx.Client, of: Table) -> Records:
    found: Records = {}
    for params in _ASKED_FOR.get(of.name, [{}]):
        # Of one id, archived versions come first: the live one stays, else the newest.
        for page in range(1, 1000):
            answer = client.get(of.path, params=params | {"page": str(page)})
            records = json.loads(answer.text, parse_float=Decimal)
            found.update((record["id"], record) for record in records)
            if not records:
                break
    return found


def held(replica: Replica, tables: Sequence[str]) -> dict[str, list[Record]]:
    """All rows of some tables and their child tables."""
    names = [
        name
        for of in map(table, tables)
        for name in (of.name, *(of.child_name(child) for child in of.children))
    ]
    rows: dict[str, list[Record]] = {}
    with replica.database.session(replica.dataset, read_only=True) as session:
        columns: dict[str, list[str]] = defaultdict(list)
        sql = (
            "select table_name, column_name from information_schema.columns where table_schema = %s"
        )
        for name, column in session.rows(sql, [replica.dataset]):
            columns[name].append(column)
        for name in names:
            listed = ", ".join(f'"{column}"' for column in columns[name])
            found = session.rows(f'select {listed} from "{name}"')
            rows[name] = [dict(zip(columns[name], row, strict=True)) for row in found]
    return rows


def differences(rows: dict[str, list[Record]], truth: dict[str, Records]) -> list[str]:
    """Everything in which the replica is not what the API has; empty when it is the same."""
    found: list[str] = []
    for of in map(table, truth):
        found += _of_table(of, rows[of.name], truth[of.name])
        for child in of.children:
            found += _of_child(of, child, rows[of.child_name(child)], truth[of.name])
    return found


def _of_table(of: Table, rows: list[Record], records: Records) -> Iterator[str]:
    counts = Counter(row[of.primary_key] for row in rows)
    yield from (f"{of.name} {key}: {count} rows" for key, count in counts.items() if count > 1)
    present = {row[of.primary_key]: row for row in rows if row["_deleted_at"] is None}
    yield from (f"{of.name} {key}: not in the replica" for key in records.keys() - present)
    yield from (f"{of.name} {key}: gone, not marked" for key in present.keys() - records)
    for key in present.keys() & records.keys():
        for text in _unequal(of.columns, present[key], records[key]):
            yield f"{of.name} {key}: {text}"


def _of_child(of: Table, child: ChildTable, rows: list[Record], records: Records) -> Iterator[str]:
    name = of.child_name(child)
    present: dict[Any, list[Record]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row["_index"]):
        if row["_deleted_at"] is None:
            present[row[of.parent_column]].append(row)
    yield from (f"{name} of {key}: gone, not marked" for key in present.keys() - records)
    for key, record in records.items():
        elements, found = record.get(child.array) or [], present[key]
        if [row["_index"] for row in found] != list(range(len(elements))):
            yield f"{name} of {key}: {[row['_index'] for row in found]} for {len(elements)}"
            continue
        for row, element in zip(found, elements, strict=True):
            for text in _unequal(child.columns, row, element):
                yield f"{name} of {key}: {text}"


def _unequal(columns: tuple[Column, ...], row: Record, record: Record) -> Iterator[str]:
    for column in columns:
        there, here = expected(column, record.get(column.name)), row[column.name]
        if column.type == "json" and here is not None:
            here = json.loads(here, parse_float=Decimal)
        if here != there:
            yield f"{column.name} is {here!r}, the API has {there!r}"
    unknown = record.keys() - {column.name for column in columns}
    extra = json.loads(row["_extra"] or "{}", parse_float=Decimal)
    for name in unknown:
        if extra.get(name) != record[name]:
            yield f"_extra has {extra.get(name)!r} for {name}, the API {record[name]!r}"


def expected(column: Column, value: Any) -> Any:
    """What a column holds for a value of the API."""
    if value is None:
        return None
    match column.type:
        case "timestamp":
            return _EPOCH + timedelta(seconds=int(value))
        case "decimal":
            return Decimal(value)
        case "boolean":
            return bool(value)
    return value


def torn(rows: dict[str, list[Record]]) -> list[str]:
    """What may hold at no time: an id twice, or elements of another version than their parent's."""
    found: list[str] = []
    for of in ALL_TABLES:
        if of.name not in rows:
            continue
        counts = Counter(row[of.primary_key] for row in rows[of.name])
        found += [f"{of.name} {key}: {count} rows" for key, count in counts.items() if count > 1]
        versions = {row["id"]: row[of.replication_key] for row in rows[of.name]}
        for child in of.children:
            name, parent = of.child_name(child), of.parent_column
            places = Counter((row[parent], row["_index"]) for row in rows[name])
            found += [f"{name} {place}: {n} rows" for place, n in places.items() if n > 1]
            found += [
                f"{name} of {row[parent]}: of another version than its parent"
                for row in rows[name]
                if row["_parent_updated_at"] != versions.get(row[parent])
            ]
    return found
