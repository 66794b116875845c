"""`[[writeback]]`: sends rows of the warehouse to Invoiced."""

import re
from decimal import Decimal
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator

from invoiced_pipeline.settings.base import SettingsModel
from invoiced_pipeline.settings.mapping import (
    MAPPING_FORMS,
    FieldSource,
    ReferenceSettings,
    read_mapping,
)
from invoiced_pipeline.settings.schedule import ScheduleSettings
from invoiced_pipeline.settings.source_file import (
    checked_delimiter,
    checked_encoding,
    is_read,
    refused_ending,
)

_OWN_HEADERS = frozenset(
    {"authorization", "idempotency-key", "content-type", "content-length", "host"}
)

_QUERY = re.compile(r"\s*(select|with|from|values|table)(?![\w.-])", re.IGNORECASE)

OperationName = Literal[
    "create_customer", "attach_payment_source", "create_invoice", "record_payment",
    "create_subscription", "update_customer", "update_invoice", "issue_credit_note", "add_contact",
    "create_estimate", "create_task", "delete_invoice", "custom",
]  # fmt: skip
"""The operations of the catalog. Settings may not import the catalog; a test compares them."""


class WritebackSettings(SettingsModel):
    """One write-back. It sends nothing unless it is `active`."""

    name: str = Field(
        pattern="^[a-z][a-z0-9_]*$",
        max_length=60,
        description="Names the job and the ledger.",
        examples=["new_invoices"],
    )
    connection: str | None = Field(
        default=None,
        description="Name of the connection; the first by default.",
        examples=["Acme Europe"],
    )
    description: str = Field(
        default="",
        description="Its purpose; shown in the UI.",
        examples=["Invoices of the web shop"],
    )
    operation: OperationName = Field(
        description="What to do with every row.",
        examples=["create_invoice"],
    )
    source: str = Field(
        min_length=1,
        description="A table, a SQL query, or a CSV, Parquet or NDJSON file.",
        examples=["marts.new_invoices"],
    )
    key: str = Field(
        min_length=1,
        description="The source's column that identifies a record.",
        examples=["order_id"],
    )
    mapping: dict[str, FieldSource] = Field(
        default={},
        description=f"The source of each field of the body: {MAPPING_FORMS}.",
        examples=[{"customer": "invoiced_id", "currency": {"value": "usd"}}],
    )
    exclude: list[str] = Field(
        default=[],
        description="Columns that are not sent.",
        examples=[["order_id"]],
    )
    delimiter: str = Field(
        default=",",
        min_length=1,
        max_length=1,
        description="The delimiter of a CSV source.",
        examples=[";"],
    )
    encoding: str = Field(
        default="utf-8",
        description="The encoding of a CSV or NDJSON source; a UTF-8 byte order mark is skipped.",
        examples=["cp1252"],
    )
    decimal: Literal[".", ","] = Field(
        default=".",
        description="The decimal separator of numbers in the text of a source. With a comma, "
        "1.234,56 is 1234.56.",
        examples=[","],
    )
    allow_numbers: list[str] = Field(
        default=[],
        description="Text fields, or the key column, that may hold digits that look like a card "
        "or bank account number, such as payment references.",
        examples=[["reference"]],
    )
    headers: dict[str, str] = Field(
        default={},
        description="Additional headers of every request.",
        examples=[{"X-Request-Source": "warehouse"}],
    )
    method: Literal["GET", "POST", "PATCH", "PUT", "DELETE"] | None = Field(
        default=None,
        description="HTTP method of a custom operation.",
        examples=["POST"],
    )
    path: str | None = Field(
        default=None,
        description="Path of a custom operation, with columns in braces.",
        examples=["/invoices/{id}/notes"],
    )
    batch_size: int | None = Field(
        default=None,
        ge=1,
        le=1000,
        description="Rows per request of a custom operation: 100 by default; 1 sends plain "
        "objects.",
        examples=[50],
    )
    group_by: int | str | None = Field(
        default=None,
        description="A number of rows per request, or a column: rows with the same value go in one "
        "request.",
        examples=["customer_id"],
    )
    active: bool = Field(
        default=False,
        description="Whether pushes send anything.",
        examples=[True],
    )
    allow_deletes: bool = Field(
        default=False,
        description="Whether documents may be deleted or voided.",
        examples=[True],
    )
    clear_nulls: bool = Field(
        default=False,
        description="Whether an update clears a field whose column is NULL.",
        examples=[True],
    )
    check_replica: bool = Field(
        default=True,
        description="Whether customers, plans and documents that a row refers to must be in the "
        "replica.",
        examples=[False],
    )
    response_url: str | None = Field(
        default=None,
        description="A URL to which every response of the API is POSTed as JSON.",
        examples=["https://example.com/responses"],
    )
    max_records: int | None = Field(
        default=None,
        ge=0,
        description="A push that would send more records sends nothing.",
        examples=[500],
    )
    max_amount: Decimal | None = Field(
        default=None,
        ge=0,
        description="A push that would move more money, in major units, sends nothing.",
        examples=[100000],
    )
    max_deletes: int = Field(
        default=100,
        ge=0,
        description="A push that would delete or void more documents sends nothing.",
        examples=[10],
    )
    reject_share: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="A push fails when a larger share of its rows is invalid or rejected.",
        examples=[0.01],
    )
    schedule: ScheduleSettings | None = Field(
        default=None, description="When it is pushed; only by hand if it is not set."
    )
    after_sync: bool = Field(
        default=False,
        description="Whether it is pushed after every successful sync.",
        examples=[True],
    )

    @field_validator("mapping", mode="before")
    @classmethod
    def _read_mapping(cls, mapping: object) -> object:
        if not isinstance(mapping, dict):
            return mapping
        return {target: read_mapping(value) for target, value in mapping.items()}

    _delimiter_separates = field_validator("delimiter")(checked_delimiter)
    _encoding_is_known = field_validator("encoding")(checked_encoding)

    @field_validator("headers")
    @classmethod
    def _headers_are_extra(cls, headers: dict[str, str]) -> dict[str, str]:
        for name in headers:
            if name.lower() in _OWN_HEADERS or not re.fullmatch(r"[A-Za-z0-9-]+", name):
                message = f"{name!r} is not a header that can be set here"
                raise ValueError(message)
        return headers

    @field_validator("response_url")
    @classmethod
    def _url_is_http(cls, url: str | None) -> str | None:
        if url and urlsplit(url).scheme not in {"http", "https"}:
            message = "not an HTTP address. Accepted form: https://host/path"
            raise ValueError(message)
        return url or None

    @model_validator(mode="after")
    def _custom_has_a_path(self) -> Self:
        if self.operation != "custom":
            if self.path or self.method or self.batch_size or self.group_by:
                message = (
                    "method, path, batch_size and group_by belong to operation = 'custom': every "
                    "other operation has its own path and takes one record per request"
                )
                raise ValueError(message)
        elif not self.path or not self.path.startswith("/") or "://" in self.path:
            message = "operation = 'custom' needs method and path, such as path = '/notes'"
            raise ValueError(message)
        return self

    @property
    def references(self) -> dict[str, ReferenceSettings]:
        """The references to records of other write-backs, by field."""
        return {
            target: value
            for target, value in self.mapping.items()
            if isinstance(value, ReferenceSettings)
        }

    @property
    def is_file(self) -> bool:
        """Whether the source is a supported file, by its ending."""
        return is_read(self.source) and not self.is_query

    @property
    def refused_file(self) -> str | None:
        """The ending of a file that is refused; None if the source is not such a file."""
        if self.is_query or self.is_file:
            return None
        return refused_ending(self.source)

    @property
    def is_query(self) -> bool:
        """Whether the source is SQL; otherwise it names a table or a file."""
        return _QUERY.match(self.source) is not None
