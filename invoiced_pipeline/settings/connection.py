"""`[[connection]]`: one Invoiced account, and how it is replicated."""

import re
from datetime import datetime
from ipaddress import ip_address
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, field_validator, model_validator

from invoiced_pipeline.settings.schedule import ScheduleSettings
from invoiced_pipeline.settings.start_date import DATE_FORMS, parse_start_date
from invoiced_pipeline.settings.strict import Strict

PRODUCTION_URL = "https://api.invoiced.com"
SANDBOX_URL = "https://api.sandbox.invoiced.com"

Cadence = Literal["monthly", "weekly", "daily"]

Deletions = Literal["mark", "remove", "ignore"]
"""What becomes of rows whose records are gone: `mark` sets `_deleted_at`, `remove` removes them
with their child rows, `ignore` leaves them as they were last seen."""


def _start_date(value: object) -> datetime | None:
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    return parse_start_date(str(value))


def dataset_name(name: str) -> str:
    """The dataset of a connection called `name`: `Stitch Invoiced` becomes `stitch_invoiced`."""
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")


def is_loopback(url: str) -> bool:
    """Whether `url` points to this machine, as the local emulator does."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


class ConnectionSettings(Strict):
    """`[[connection]]`: one Invoiced account and how it is replicated."""

    name: str = Field(
        default="Invoiced", min_length=1, description="Becomes the dataset; fixed once used."
    )
    api_key_env: str = Field(
        default="INVOICED_API_KEY",
        pattern="^[A-Z][A-Z0-9_]*$",
        description="The environment variable that holds the API key.",
    )
    api_key: SecretStr | None = Field(
        default=None, description="A key for a server on this machine only, such as the emulator's."
    )
    sandbox: bool = Field(default=False, description="Use the sandbox host and a sandbox key.")
    api_url: str | None = Field(
        default=None, description="Another host than production or sandbox."
    )
    start_date: Annotated[datetime | None, BeforeValidator(_start_date)] = Field(
        default=None, description=f"Records updated before it are left out: {DATE_FORMS}."
    )
    partitions: Cadence = Field(
        default="monthly", description="Size of a partition; fixed once used."
    )
    overlap_minutes: int = Field(
        default=5, ge=0, le=1440, description="How far a sync reaches back behind the last one."
    )
    schedule: ScheduleSettings = Field(
        default=ScheduleSettings(), description="When a sync starts; every hour by default."
    )

    deletions: Deletions = Field(
        default="mark", description="What becomes of rows whose records are gone."
    )
    sweep_max_share: float = Field(
        default=0.2,
        gt=0,
        le=1,
        description="A sweep that misses a larger share of a table's rows leaves the table alone.",
    )

    reject_share: float = Field(
        default=0.01,
        ge=0,
        le=1,
        description="A run fails when more of a table's records read fit no column.",
    )
    warn_after_hours: float = Field(
        default=26, gt=0, description="A table older than this is shown as late."
    )
    fail_after_hours: float = Field(
        default=48, gt=0, description="A table older than this is shown as stale."
    )

    @field_validator("name")
    @classmethod
    def _name_gives_a_dataset(cls, name: str) -> str:
        if not re.match(r"[a-z]", dataset_name(name)):
            msg = f"{name!r} must begin with a letter: the dataset is named after it"
            raise ValueError(msg)
        return name

    @field_validator("api_url")
    @classmethod
    def _url_is_http(cls, url: str | None) -> str | None:
        if not url:
            return None
        try:
            parts = urlsplit(url)
            is_address = parts.scheme in {"http", "https"} and bool(parts.hostname)
            is_plain = parts.port != 0 and "@" not in parts.netloc and not parts.query
        except ValueError:  # a port that is no number, or half of an IPv6 address
            is_address = is_plain = False
        if not is_address or not is_plain:
            msg = "not such an address. Accepted form is https://host or http://host:port"
            raise ValueError(msg)
        return url.rstrip("/")

    @model_validator(mode="after")
    def _secret_stays_out_of_the_file(self) -> Self:
        if self.api_key and not is_loopback(self.base_url):
            msg = "api_key may stand in the file only with an api_url on this machine; set the "
            raise ValueError(msg + f"environment variable {self.api_key_env} instead")
        return self

    @model_validator(mode="after")
    def _late_comes_before_stale(self) -> Self:
        if self.warn_after_hours >= self.fail_after_hours:
            msg = "warn_after_hours must be less than fail_after_hours"
            raise ValueError(msg)
        return self

    @property
    def dataset(self) -> str:
        """Name of the dataset, the asset group and the first part of every asset key."""
        return dataset_name(self.name)

    @property
    def base_url(self) -> str:
        """Scheme and host that every request goes to."""
        return self.api_url or (SANDBOX_URL if self.sandbox else PRODUCTION_URL)
