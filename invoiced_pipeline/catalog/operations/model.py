"""Types of write operations: the fields and rules of the API as plain values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

FieldType = Literal[
    "text", "email", "choice", "number", "integer", "timestamp", "boolean", "currency", "country",
    "metadata", "object", "array", "token", "any",
]  # fmt: skip
"""The type of a field. `number` is a decimal (money in major currency units), `timestamp` is epoch
seconds, `token` is the token of a payment source and belongs in no other field."""

Method = Literal["GET", "POST", "PATCH", "PUT", "DELETE"]
Kind = Literal["create", "update", "delete", "custom"]

MARKER = "invoiced_pipeline"
"""The metadata key of the marker in new records (`NaturalKey.marker`), one of the ten keys that the
API allows."""

METADATA_KEYS = 10
METADATA_KEY_LENGTH = 40
METADATA_VALUE_LENGTH = 255


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One field of a body, or a parameter of a path, named as the API names it."""

    name: str
    type: FieldType
    description: str
    required: bool = False
    nullable: bool = True
    """Whether null or an empty text clears it; otherwise the API refuses them."""
    shortest: int = 1
    longest: int = 255
    """Bounds of a text's length, in characters."""
    choices: tuple[str, ...] = ()
    refers_to: str | None = None
    """The table to whose primary key it refers."""
    above_zero: bool = False
    not_negative: bool = False
    creation_only: bool = False
    """Whether it cannot be changed after creation."""
    elements: tuple["Field", ...] = ()
    """Fields of an object, or of the objects in an array; empty if they are not validated."""
    shown: Literal["always", "included", "never"] = "always"
    """Whether a record has it when read: always, with `include=`, or not as it was sent."""
    attaches: bool = False
    """Whether a value only adds something, as a token does."""

    @property
    def replaced_whole(self) -> bool:
        """Whether an update with it replaces the whole field (observed)."""
        return self.type in {"metadata", "object", "array", "any"} and not self.attaches


@dataclass(frozen=True, slots=True, kw_only=True)
class NaturalKey:
    """How to find a record of which it is unknown whether it was created.

    In this order: by `number`, if the body sets it; by a marker; by comparing a list.
    """

    number: str | None = None
    """A field that is unique in the account: `GET <list_path>?filter[<number>]=...`."""
    marker: bool = False
    """Whether `metadata[MARKER]` is set, to be found by the documented `metadata[...]` filter."""
    list_path: str
    """The list to read; it may have the path parameters of the operation."""
    list_params: tuple[tuple[str, str], ...] = ()
    """Sent with every look-up, such as `("all", "1")`, which also lists canceled subscriptions."""
    compare: tuple[tuple[str, str], ...] = ()
    """Fields to compare if there is no marker: the name in the body and the name in the record.
    Fields that the body does not set are not compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One kind of write to Invoiced."""

    name: str
    title: str
    description: str
    kind: Kind
    method: Method
    path: str
    """With parameters in braces, such as `/customers/{customer}/contacts`."""
    docs_url: str
    singular: str
    """The name of a record in errors and logs, such as `contact`."""
    table: str | None = None
    """The table of the records; None if they are not replicated."""
    parameters: tuple[Field, ...] = ()
    """Parameters of the path; a row has them as columns, and they are not in the body."""
    fields: tuple[Field, ...] = ()
    """All fields of the body."""
    one_of: tuple[tuple[str, ...], ...] = ()
    """Groups of fields of which exactly one is required."""
    any_of: tuple[tuple[str, ...], ...] = ()
    """Groups of fields of which at least one is required."""
    blocked: frozenset[str] = frozenset()
    """Read-only fields of a record; the API refuses a body that has one."""
    strict: bool = False
    """Whether the API refuses unknown fields; otherwise it silently drops them."""
    unwanted: tuple[tuple[str, str], ...] = ()
    """Fields that users may expect, each with what to do instead."""
    success: frozenset[int] = frozenset({201})
    """HTTP statuses of success."""
    takes_idempotency_key: bool = True
    """Whether the API accepts the header; PUT, DELETE and GET refuse it."""
    answers_with_record: bool = True
    """Whether the response is the record; otherwise it is empty, or something else."""
    natural_key: NaturalKey | None = None
    """How to find a created record; None if the path identifies the record."""
    update_path: str | None = None
    """Path of the `PATCH` of a created record, such as `/customers/{id}`; None if write-back never
    changes the records that it creates."""
    void_path: str | None = None
    """Path of the `POST` that voids an issued document instead of deleting it."""
    money: str | None = None
    """The field with the money that a row moves: an amount, or `items` of a document."""
    _by_name: dict[str, Field] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_name.update({each.name: each for each in self.fields})

    def field(self, name: str) -> Field | None:
        """The body's field `name`; None if there is no such field."""
        return self._by_name.get(name)

    @property
    def record_path(self) -> str:
        """The path of one record, such as `/invoices/{id}`."""
        return self.path if self.kind in {"update", "delete"} else self.update_path or self.path


def path_parameters(path: str) -> tuple[str, ...]:
    """The names in braces, in order: `("customer",)` of `/customers/{customer}/contacts`."""
    return tuple(re.findall(r"\{([A-Za-z_][A-Za-z0-9_]*)\}", path))


def fill_path(path: str, parameters: Mapping[str, Any]) -> str:
    """Fills in a path's parameters; one without a value stays in braces."""
    for name in path_parameters(path):
        if parameters.get(name) is not None:
            path = path.replace(f"{{{name}}}", quote(str(parameters[name]), safe=""))
    return path
