"""`[[writeback]]`: rows of the warehouse that become records in Invoiced."""

import re
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from invoiced_pipeline.settings.mapping import (
    MAPPING_FORMS,
    Mapped,
    ReferenceSettings,
    read_mapping,
)
from invoiced_pipeline.settings.schedule import ScheduleSettings
from invoiced_pipeline.settings.strict import Strict

_FILES = (".csv", ".parquet", ".ndjson", ".jsonl")
_OWN_HEADERS = frozenset(
    {"authorization", "idempotency-key", "content-type", "content-length", "host"}
)

_QUERY = re.compile(r"\s*(select|with|from|values|table)\b", re.IGNORECASE)

OperationName = Literal[
    "create_customer", "attach_payment_source", "create_invoice", "record_payment",
    "create_subscription", "update_customer", "update_invoice", "issue_credit_note", "add_contact",
    "create_estimate", "create_task", "delete_invoice", "custom",
]  # fmt: skip
"""The operations of the catalog, which settings may not import; a test compares them."""


class WritebackSettings(Strict):
    """One write-back. Nothing is sent unless `active`."""

    name: str = Field(
        pattern="^[a-z][a-z0-9_]*$", max_length=60, description="Names the job and the ledger."
    )
    connection: str | None = Field(
        default=None, description="Name of the connection; the first by default."
    )
    description: str = Field(default="", description="What it is for; shown in the UI.")
    operation: OperationName = Field(description="What is done with every row.")
    source: str = Field(
        min_length=1,
        description="A table, a SQL query, or a CSV, Parquet or NDJSON file.",
    )
    key: str = Field(
        min_length=1, description="The source's column that tells one record from another."
    )
    mapping: dict[str, Mapped] = Field(
        default={}, description=f"Where a field of the body comes from: {MAPPING_FORMS}."
    )
    exclude: list[str] = Field(default=[], description="Columns that are not sent.")
    headers: dict[str, str] = Field(default={}, description="Extra headers of every request.")
    method: Literal["GET", "POST", "PATCH", "PUT", "DELETE"] | None = Field(
        default=None, description="Of a custom operation."
    )
    path: str | None = Field(
        default=None, description="Of a custom operation, with columns in braces."
    )
    batch_size: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="Rows per call of a custom operation: 100 by default, 1 sends plain objects.",
    )
    group_by: int | str | None = Field(
        default=None,
        description="A number of rows, or a column whose rows of one value go in one call.",
    )
    active: bool = Field(default=False, description="Whether anything is ever sent.")
    allow_deletes: bool = Field(
        default=False, description="Whether documents may be deleted or voided."
    )
    clear_nulls: bool = Field(
        default=False, description="Whether an update clears a field whose column is NULL."
    )
    check_replica: bool = Field(
        default=True,
        description="Whether customers, plans and documents that a row names must be in the "
        "replica.",
    )
    response_url: str | None = Field(
        default=None, description="Where every answer of the API is POSTed to, as JSON."
    )
    max_records: int | None = Field(
        default=None, ge=0, description="A push that would send more sends nothing."
    )
    max_amount: Decimal | None = Field(
        default=None,
        ge=0,
        description="A push that would move more money, in major units, sends nothing.",
    )
    max_deletes: int = Field(
        default=100, ge=0, description="A push that would delete or void more sends nothing."
    )
    reject_share: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="A push fails when a larger share of its rows is invalid or rejected.",
    )
    schedule: ScheduleSettings | None = Field(
        default=None, description="When it is pushed; only by hand where it is not set."
    )
    after_sync: bool = Field(
        default=False, description="Whether it is pushed after every sync that succeeds."
    )

    @field_validator("mapping", mode="before")
    @classmethod
    def _read_mapping(cls, mapping: object) -> object:
        if not isinstance(mapping, dict):
            return mapping
        return {target: read_mapping(value) for target, value in mapping.items()}

    @field_validator("headers")
    @classmethod
    def _headers_are_extra(cls, headers: dict[str, str]) -> dict[str, str]:
        for name in headers:
            if name.lower() in _OWN_HEADERS or not re.fullmatch(r"[A-Za-z0-9-]+", name):
                message = f"{name!r} is not a header that may be set here"
                raise ValueError(message)
        return headers

    @field_validator("response_url")
    @classmethod
    def _url_is_http(cls, url: str | None) -> str | None:
        if url and urlsplit(url).scheme not in {"http", "https"}:
            message = "not such an address. Accepted form is https://host/path"
            raise ValueError(message)
        return url or None

    @model_validator(mode="after")
    def _custom_has_a_path(self) -> Self:
        if self.operation != "custom":
            if self.path or self.method or self.batch_size or self.group_by:
                message = (
                    "method, path, batch_size and group_by belong to operation = 'custom': every "
                    "other operation has its own path and takes one record per call"
                )
                raise ValueError(message)
        elif not self.path or not self.path.startswith("/") or "://" in self.path:
            message = "operation = 'custom' needs method and path, such as path = '/notes'"
            raise ValueError(message)
        return self

    @property
    def references(self) -> dict[str, ReferenceSettings]:
        """The fields that hold a reference to what another write-back made."""
        return {
            target: value
            for target, value in self.mapping.items()
            if isinstance(value, ReferenceSettings)
        }

    @property
    def is_file(self) -> bool:
        """Whether the source is a file, by its ending."""
        return self.source.lower().endswith(_FILES) and not self.is_query

    @property
    def is_query(self) -> bool:
        """Whether the source is SQL; else it names a table or a file."""
        return _QUERY.match(self.source) is not None


def check_writebacks(writebacks: Sequence[WritebackSettings], connections: Sequence[str]) -> None:
    """Says what is wrong among several write-backs.

    Raises:
        ValueError: A name is there twice, or a connection or a referenced write-back is not there,
            or references go round in a circle.
    """
    by_name = {each.name: each for each in writebacks}
    if len(by_name) < len(writebacks):
        names = [each.name for each in writebacks]
        double = next(name for name in names if names.count(name) > 1)
        message = f"[[writeback]]: the name {double!r} is there twice; it names job and ledger"
        raise ValueError(message)
    for each in writebacks:
        if each.connection is not None and each.connection not in connections:
            known = ", ".join(map(repr, connections))
            message = f"[[writeback]] {each.name}: no connection {each.connection!r}. "
            raise ValueError(message + f"There is: {known}")
        for target, reference in each.references.items():
            parent = by_name.get(reference.writeback)
            if parent is None:
                message = f"[[writeback]] {each.name}: {target} refers to {reference}, and there "
                raise ValueError(message + f"is no write-back {reference.writeback!r}")
            if parent.connection != each.connection:
                message = f"[[writeback]] {each.name}: {target} refers to {reference}, which "
                raise ValueError(message + "writes to another connection: ids differ there")
        if each.name in _ancestors(each, by_name):
            message = f"[[writeback]] {each.name}: its references lead back to itself"
            raise ValueError(message)


def _ancestors(of: WritebackSettings, by_name: Mapping[str, WritebackSettings]) -> Iterator[str]:
    """Names of all write-backs that one refers to, directly or not."""
    seen: set[str] = set()
    ahead = [of.name]
    while ahead:
        for reference in by_name[ahead.pop()].references.values():
            name = reference.writeback
            yield name
            if name in by_name and name not in seen:
                seen.add(name)
                ahead.append(name)
