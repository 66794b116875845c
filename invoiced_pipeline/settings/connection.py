"""`[[connection]]`: one Invoiced account, and how it is replicated."""

import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    SecretStr,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from invoiced_pipeline.settings.addresses import (
    API_FORMS,
    PRODUCTION_URL,
    PROXY_FORMS,
    SANDBOX_URL,
    is_loopback,
    parse_api_url,
    parse_proxy,
)
from invoiced_pipeline.settings.base import SettingsModel
from invoiced_pipeline.settings.schedule import ScheduleSettings
from invoiced_pipeline.settings.start_date import DATE_FORMS, parse_start_date
from invoiced_pipeline.settings.tables import TablesSettings

Cadence = Literal["monthly", "weekly", "daily"]

Deletions = Literal["mark", "remove", "ignore"]
"""How deleted records are handled: `mark` sets `_deleted_at`, `remove` deletes their rows and child
rows, `ignore` keeps the rows as they were last seen."""


REQUESTS_IN_FLIGHT = 18
"""Of the 20 that the API allows per key (observed): other programs may use the same key."""

WEBHOOK_VARIABLE = "INVOICED_WEBHOOK_SECRET"
"""The default variable that holds the secret of a webhook."""

TWO_HOSTS = "two_hosts"
"""Type of the error for a connection with both `sandbox` and `api_url`."""

OWNER_FORMS = "an e-mail address, or team:name"
PREFIX_FORMS = "letters, digits and underscores"
TAG_FORMS = "names and values of up to 63 letters, digits, dots, dashes and underscores"
_OWNER = r"[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+\.[A-Za-z]{2,}|team:.+"
_TAG = r"[A-Za-z0-9_.-]{1,63}"


def _start_date(value: object) -> datetime | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return parse_start_date(str(value))


def _schema_name(value: object) -> str | None:
    if value is None or not str(value).strip():
        return None
    if not isinstance(value, str) or not re.fullmatch(r"[a-z][a-z0-9_]{0,62}", value):
        msg = (
            f"{value!r} is not a schema's name. Accepted: a lower-case letter, then up to 62 "
            "letters, digits and underscores, such as stitch_invoiced"
        )
        raise ValueError(msg)
    return value


def dataset_name(name: str) -> str:
    """Derives the dataset from a connection's name: `Stitch Invoiced` becomes `stitch_invoiced`."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def key_prefix_problem(parts: Sequence[str]) -> str | None:
    """Returns why a prefix of asset keys is refused; None if it is accepted."""
    for part in [parts] if isinstance(parts, str) else parts:
        if isinstance(parts, str) or not re.fullmatch(r"[A-Za-z0-9_]+", part):
            return f"{part!r} is not accepted: a prefix is a list of parts, each of {PREFIX_FORMS}"
    return None


class ConnectionSettings(SettingsModel):
    """`[[connection]]`: one Invoiced account and how it is replicated; there may be several."""

    name: str = Field(
        default="Invoiced",
        min_length=1,
        description="Name of the account. The dataset is named after it (`Acme Europe`: "
        "`acme_europe`), so do not change it once there is data.",
        examples=["Acme Europe"],
    )
    api_key_env: str = Field(
        default="INVOICED_API_KEY",
        pattern="^[A-Z][A-Z0-9_]*$",
        description="The environment variable that holds the API key.",
        examples=["ACME_EUROPE_API_KEY"],
    )
    api_key: SecretStr | None = Field(
        default=None,
        description="The API key itself, only for a server on this machine such as the emulator.",
        examples=["emulator0000000000000000000000ab"],
    )
    sandbox: bool = Field(
        default=False,
        description="Connect to Invoiced's sandbox, with a key of the sandbox.",
        examples=[True],
    )
    api_url: Annotated[str | None, AfterValidator(parse_api_url)] = Field(
        default=None,
        description=f"A host other than production or sandbox: {API_FORMS}.",
        examples=["http://127.0.0.1:8085"],
    )
    proxy: Annotated[SecretStr | None, AfterValidator(parse_proxy)] = Field(
        default=None,
        description=f"A proxy for all requests: {PROXY_FORMS}.",
        examples=["http://proxy.example.com:3128"],
    )
    start_date: Annotated[datetime | None, BeforeValidator(_start_date)] = Field(
        default=None,
        description=f"Only records updated on or after this date are replicated: {DATE_FORMS}. "
        "By default one year before the first sync.",
        examples=["01/31/2025"],
    )
    partitions: Cadence = Field(
        default="monthly",
        description="Size of a partition. Do not change it once there is data.",
        examples=["weekly"],
    )
    overlap_minutes: int = Field(
        default=5,
        ge=0,
        le=1440,
        description="How many minutes a sync reads again before the end of the last one.",
        examples=[10],
    )
    requests_in_flight: int = Field(
        default=REQUESTS_IN_FLIGHT,
        ge=1,
        le=20,
        description="How many requests are sent at the same time. Invoiced allows 20 per API key: "
        "leave some to other programs that use the key. The number is halved while Invoiced "
        "refuses requests (429), and rises again slowly. Connections with the same key share the "
        "smallest of their numbers in a process.",
        examples=[10],
    )
    schedule: ScheduleSettings = Field(
        default=ScheduleSettings(), description="When a sync starts; every hour by default."
    )
    events_interval_seconds: int = Field(
        default=30,
        ge=10,
        le=3600,
        description="How often the sensor `<dataset>_events_sensor` asks for new events, once it "
        "is turned on. See [freshness.md](freshness.md).",
        examples=[60],
    )
    tables: TablesSettings = Field(
        default=TablesSettings(),
        description="Which tables and columns are replicated; all by default.",
    )
    hash_salt_env: str = Field(
        default="INVOICED_HASH_SALT",
        pattern="^[A-Z][A-Z0-9_]*$",
        description="The environment variable that holds the salt for hashed columns.",
        examples=["ACME_HASH_SALT"],
    )
    webhook_secret_env: str = Field(
        default=WEBHOOK_VARIABLE,
        pattern="^[A-Z][A-Z0-9_]*$",
        description="The environment variable that holds the secret of Invoiced's webhook, for "
        "`invoiced-pipeline webhook`. See [webhook.md](webhook.md).",
        examples=["ACME_WEBHOOK_SECRET"],
    )
    allow_clear_copy: bool = Field(
        default=False,
        description="Allows this connection to replicate columns in clear text that another "
        "connection to the same account hashes or drops.",
        examples=[True],
    )
    deletions: Deletions = Field(
        default="mark",
        description="How deleted records are handled: `mark` sets `_deleted_at`, `remove` deletes "
        "their rows and child rows, `ignore` keeps the rows as they were.",
        examples=["remove"],
    )
    current_views: bool = Field(
        default=True,
        description="Creates a view of every table in the schema `<dataset>_current`: without "
        "deleted rows, and with a day column for each date. `false` drops the views at the next "
        "sync.",
        examples=[False],
    )
    stitch_schema: Annotated[str | None, BeforeValidator(_schema_name)] = Field(
        default=None,
        description="Creates views in this schema under the names that Stitch gives its tables, "
        "subtables and `_sdc_` columns, for dashboards made on Stitch. Without it, such views are "
        "dropped at the next sync. See [coming-from.md](coming-from.md).",
        examples=["stitch_invoiced"],
    )
    sweep_max_share: float = Field(
        default=0.2,
        gt=0,
        le=1,
        description="The largest share of a table's rows that a sweep may mark as deleted. Above "
        "it the sweep changes nothing in that table and fails.",
        examples=[0.05],
    )
    reject_share: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="A run fails if it rejects a larger share of the records that it read from a "
        "table.",
        examples=[0.0],
    )
    warn_after_hours: float = Field(
        default=26,
        gt=0,
        description="Hours after the last run when a table's freshness check warns.",
        examples=[4],
    )
    fail_after_hours: float = Field(
        default=48,
        gt=0,
        description="Hours after the last run when a table's freshness check fails.",
        examples=[12],
    )
    key_prefix: list[str] = Field(
        default=[],
        description="Parts before the dataset in its asset keys, joined by `_` before the names of "
        f"its jobs, asset group and Dagster resources. Each part: {PREFIX_FORMS}.",
        examples=[["finance"]],
    )
    description: str = Field(
        default="",
        description="What the connection is for; shown with its assets and jobs.",
        examples=["Billing of the European company"],
    )
    owners: list[str] = Field(
        default=[],
        description=f"Owners of its assets: each {OWNER_FORMS}.",
        examples=[["finance@example.com", "team:billing"]],
    )
    tags: dict[str, str] = Field(
        default={},
        description=f"Tags of its assets: {TAG_FORMS}.",
        examples=[{"domain": "finance"}],
    )

    @field_validator("name")
    @classmethod
    def _name_gives_a_dataset(cls, name: str) -> str:
        if not re.match(r"[a-z]", dataset_name(name)):
            msg = f"{name!r} must begin with a letter, because the dataset is named after it"
            raise ValueError(msg)
        return name

    @field_validator("key_prefix")
    @classmethod
    def _prefix_fits_names_of_jobs(cls, parts: list[str]) -> list[str]:
        if problem := key_prefix_problem(parts):
            raise ValueError(problem)
        return parts

    @field_validator("owners")
    @classmethod
    def _owners_are_known_to_dagster(cls, owners: list[str]) -> list[str]:
        for owner in owners:
            if not re.fullmatch(_OWNER, owner):
                msg = f"{owner!r} is not an owner. Accepted forms: {OWNER_FORMS}"
                raise ValueError(msg)
        return owners

    @field_validator("tags")
    @classmethod
    def _tags_are_known_to_dagster(cls, tags: dict[str, str]) -> dict[str, str]:
        for name, value in tags.items():
            if not re.fullmatch(_TAG, name) or not re.fullmatch(f"({_TAG})?", value):
                msg = f"{name} = {value!r} is not a tag. Accepted forms: {TAG_FORMS}"
                raise ValueError(msg)
        return tags

    @model_validator(mode="after")
    def _secret_stays_out_of_the_file(self) -> Self:
        if self.api_key and not is_loopback(self.base_url):
            msg = "api_key is allowed in the file only with an api_url on this machine. Set the "
            raise ValueError(msg + f"environment variable {self.api_key_env} instead")
        return self

    @model_validator(mode="after")
    def _there_is_one_host(self) -> Self:
        if self.sandbox and self.api_url:
            raise PydanticCustomError(TWO_HOSTS, "sandbox and api_url name different hosts")
        return self

    @model_validator(mode="after")
    def _late_comes_before_stale(self) -> Self:
        if self.warn_after_hours >= self.fail_after_hours:
            msg = "warn_after_hours must be less than fail_after_hours"
            raise ValueError(msg)
        return self

    @property
    def dataset(self) -> str:
        """Name of the dataset: the schema in the warehouse, and a part of every asset key."""
        return dataset_name(self.name)

    @property
    def base_url(self) -> str:
        """Scheme and host of every request."""
        return self.api_url or (SANDBOX_URL if self.sandbox else PRODUCTION_URL)
