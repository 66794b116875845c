"""The vocabulary of write operations: what the API takes, refuses and answers, as plain values."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import quote

FieldType = Literal[
    "text", "email", "choice", "number", "integer", "timestamp", "boolean", "currency", "country",
    "metadata", "object", "array", "token", "any",
]  # fmt: skip
"""What a field of a body holds. `number` is a decimal (money in major currency units), `timestamp`
is epoch seconds, `token` is a payment source's token, the only place for anything like one."""

Method = Literal["GET", "POST", "PATCH", "PUT", "DELETE"]
Kind = Literal["create", "update", "delete", "custom"]

MARKER = "invoiced_pipeline"
"""The metadata key under which the write-back puts its marker, where an operation is found again by
one (`NaturalKey.marker`). It takes one of the ten keys that the API allows."""

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
    """Whether null or an empty text clears it; else the API refuses them."""
    shortest: int = 1
    longest: int = 255
    """Bounds of a text's length, in characters."""
    choices: tuple[str, ...] = ()
    refers_to: str | None = None
    """The table whose primary key it holds."""
    above_zero: bool = False
    not_negative: bool = False
    creation_only: bool = False
    """Cannot be changed afterwards."""
    elements: tuple["Field", ...] = ()
    """Fields of an object, or of the objects in an array; unknown ones are not looked at when it
    is empty."""
    shown: Literal["always", "included", "never"] = "always"
    """Whether a fetched record has it: always, with `include=`, or not in the form it is sent."""
    attaches: bool = False
    """Whether a value only adds to what is there, as a token does."""

    @property
    def replaced_whole(self) -> bool:
        """Whether an update that sends it leaves nothing of what was there (observed)."""
        return self.type in {"metadata", "object", "array", "any"} and not self.attaches


@dataclass(frozen=True, slots=True, kw_only=True)
class NaturalKey:
    """How a record is found again of which it is not known whether it was created.

    In this order: by `number`, where the body sets it; by a marker; by comparing a list.
    """

    number: str | None = None
    """A field that is unique in the account: `GET <list_path>?filter[<number>]=...`."""
    marker: bool = False
    """`metadata[MARKER]` is set in the body, and found by the documented `metadata[...]` filter."""
    list_path: str
    """Where to look; it may hold the operation's own path parameters."""
    list_params: tuple[tuple[str, str], ...] = ()
    """Sent with every look-up, e.g. `("all", "1")`: canceled subscriptions are not listed else."""
    compare: tuple[tuple[str, str], ...] = ()
    """Fields of the body, each with its name in the listed record, by which records are compared
    where there is no marker. Fields that the body does not set are not compared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One thing that can be done to Invoiced."""

    name: str
    title: str
    description: str
    kind: Kind
    method: Method
    path: str
    """With parameters in braces, e.g. `/customers/{customer}/contacts`."""
    docs_url: str
    singular: str
    """What a record is called in errors and logs, e.g. `contact`."""
    table: str | None = None
    """The replicated table that holds the records; None where it is not replicated."""
    parameters: tuple[Field, ...] = ()
    """The path's parameters; a row brings them as columns, they are not part of the body."""
    fields: tuple[Field, ...] = ()
    """All that the body may hold."""
    one_of: tuple[tuple[str, ...], ...] = ()
    """Of each of these groups of fields exactly one has to be there."""
    any_of: tuple[tuple[str, ...], ...] = ()
    """Of each of these groups of fields at least one has to be there."""
    blocked: frozenset[str] = frozenset()
    """Fields of a fetched record whose mere presence the API refuses."""
    strict: bool = False
    """Whether the API refuses unknown fields; else it drops them without a word."""
    unwanted: tuple[tuple[str, str], ...] = ()
    """Fields that people expect here, with what to do instead."""
    success: frozenset[int] = frozenset({201})
    """Statuses of an answer that did what was asked."""
    takes_idempotency_key: bool = True
    """PUT, DELETE and GET refuse the header."""
    answers_with_record: bool = True
    """Whether the answer is the record; else it is empty, or something else."""
    natural_key: NaturalKey | None = None
    """None: the path names the record."""
    update_path: str | None = None
    """`PATCH` of a record that a create operation made, e.g. `/customers/{id}`; None where what was
    created is never changed by write-back. `{id}` is the record's own."""
    void_path: str | None = None
    """`POST` that voids an issued document in place of deleting it."""
    money: str | None = None
    """Where the amount of money that a row moves stands: a field, or `items` of a document."""
    _by_name: dict[str, Field] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_name.update({each.name: each for each in self.fields})

    def field(self, name: str) -> Field | None:
        """The body's field called `name`; None where the API does not take it."""
        return self._by_name.get(name)

    @property
    def record_path(self) -> str:
        """Path of one record, e.g. `/invoices/{id}`: of an update's own, else of `update_path`."""
        return self.path if self.kind in {"update", "delete"} else self.update_path or self.path


def path_parameters(path: str) -> tuple[str, ...]:
    """Names in braces, in their order: `("customer",)` of `/customers/{customer}/contacts`."""
    return tuple(re.findall(r"\{([A-Za-z_][A-Za-z0-9_]*)\}", path))


def fill_path(path: str, parameters: Mapping[str, Any]) -> str:
    """A path with its parameters filled in; one without a value stays in braces."""
    for name in path_parameters(path):
        if parameters.get(name) is not None:
            path = path.replace(f"{{{name}}}", quote(str(parameters[name]), safe=""))
    return path
