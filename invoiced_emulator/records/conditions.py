"""SQL conditions over stored records, with parameters."""

import re
from dataclasses import dataclass, field
from typing import Any

from invoiced_emulator.records.kinds import ObjectKind
from invoiced_emulator.records.schema import ARCHIVED, FINISHED

METADATA_KEY = re.compile(r"[A-Za-z0-9_-]+")

_NARROW = {
    "customer": "r.customer",
    "customer_id": "r.customer",
    "payment": "r.payment",
    "payment_id": "r.payment",
    "created_at": "r.created_at",
    "updated_at": "r.updated_at",
}
_STATES = {
    "archived": f"(r.state = {ARCHIVED})",
    "canceled": f"(r.state = {ARCHIVED})",
    "finished": f"(r.state = {FINISHED})",
}
_NOT_RELATIONS = frozenset({"gateway", "plan", "external", "ach_sender"})


@dataclass(slots=True)
class Conditions:
    """The WHERE clause of a list; `r` is the table records, `b` the table bodies."""

    terms: list[str] = field(default_factory=list)
    parameters: list[Any] = field(default_factory=list)

    def add(self, term: str, *parameters: Any) -> None:
        """Adds a term, whose placeholders take `parameters`."""
        self.terms.append(term)
        self.parameters.extend(parameters)

    @property
    def sql(self) -> str:
        """The terms joined by AND."""
        return " AND ".join(self.terms)

    def signature(self) -> str:
        """Returns a text that identifies the filtered list, for cached counts and cursors."""
        return f"{self.sql}|{self.parameters!r}"


def tables(*clauses: str) -> str:
    """Returns the FROM clause; it joins the JSON texts only if a clause needs them."""
    if any("b." in clause for clause in clauses):
        return "records r JOIN bodies b ON b.collection = r.collection AND b.key = r.key"
    return "records r"


def column(kind: ObjectKind, name: str) -> str:
    """Returns the SQL expression of a field; `name` must be one of `kind.fields`."""
    if name in {"id", "internal_id"}:
        return "r.id" if kind.versioned and name == "id" else "r.key"
    if name in _NARROW:
        return _NARROW[name]
    if kind.collection == "events" and name in {"timestamp", "type"}:
        return "r.date" if name == "timestamp" else "r.label"
    if name == "date":
        return "r.date"
    if name == "number":
        return "r.label"
    if name in _STATES and kind.fields.get(name) == "boolean":
        return _STATES[name]
    twin = name.removesuffix("_id") if name.endswith("_id") else f"{name}_id"
    if twin in kind.fields and twin.removesuffix("_id") not in _NOT_RELATIONS:
        return f"coalesce({_json(kind, name)}, {_json(kind, twin)})"
    return _json(kind, name)


def metadata_column(kind: ObjectKind, key: str) -> str:
    """Returns the SQL expression of a metadata value; `key` must match `METADATA_KEY`."""
    text = "b.hidden" if "metadata" in kind.hidden else "b.body"
    return f"CAST(json_extract({text}, '$.metadata.\"{key}\"') AS TEXT)"


def _json(kind: ObjectKind, name: str) -> str:
    text = "b.hidden" if name in kind.hidden else "b.body"
    return f"json_extract({text}, '$.{name}')"
