"""`[warehouse]`: where data lands, and the credentials of a server."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, SecretStr, field_validator

from invoiced_pipeline.settings.server import (
    PASSWORD_VARIABLE,
    ServerSettings,
    fields_of,
    secret_of,
)
from invoiced_pipeline.settings.strict import Strict

Destination = Literal["duckdb", "postgres"]
StorageVersion = Literal["v1.4.0", "v1.5.0", "v2.0.0"]
"""Formats of a DuckDB file, each named after the first DuckDB that can open it."""

STORAGE_VERSION: StorageVersion = "v1.4.0"
"""The oldest DuckDB with long-term support: drivers of other tools follow new versions late."""

DEFAULT_PATH = Path("data/warehouse.duckdb")
"""Not called like the default dataset: DuckDB names a catalog after its file, and a name such as
`invoiced.invoices` is ambiguous where catalog and schema are both `invoiced`."""

OTHERS = (
    "docs/other-warehouses.md says what dlt's other destinations would need, and how to copy the "
    "data there"
)


class WarehouseSettings(Strict):
    """`[warehouse]`: where data lands."""

    destination: Destination = Field(
        default="duckdb", description="The kind of warehouse.", examples=["postgres"]
    )
    path: Path = Field(
        default=DEFAULT_PATH,
        description="The DuckDB file; a relative path begins at the settings file's folder. What "
        "belongs to a server's warehouse on this machine lies in the same folder.",
        examples=["/srv/invoiced/warehouse.duckdb"],
    )
    storage_version: StorageVersion = Field(
        default=STORAGE_VERSION,
        description="The format of a new DuckDB file: the oldest DuckDB that can open it. An "
        "existing file keeps its format until `invoiced-pipeline move --storage-version`.",
        examples=["v2.0.0"],
    )
    credentials: ServerSettings | None = Field(
        default=None,
        description="The server as one address. One with a password belongs into the variable, "
        "never into the file. Or a table of its fields: `[warehouse.credentials]`.",
        examples=["postgresql://loader@db.example.com:5432/warehouse?sslmode=require"],
    )

    @field_validator("destination", mode="before")
    @classmethod
    def _is_one_of_ours(cls, destination: object) -> object:
        known = get_args(Destination)
        if destination in known:
            return destination
        # Whatever else may stand here, such as an address, is not repeated.
        is_name = isinstance(destination, str) and destination.isidentifier()
        got = f" (got {destination!r})" if is_name else ""
        message = f"it is {' or '.join(map(repr, known))}{got}. {OTHERS}"
        raise ValueError(message)

    @field_validator("credentials", mode="before")
    @classmethod
    def _address_says_the_fields(cls, credentials: object) -> object:
        if isinstance(credentials, SecretStr):
            credentials = credentials.get_secret_value()
        if not isinstance(credentials, str):
            return credentials
        return fields_of(credentials.strip()) if credentials.strip() else None

    @property
    def server(self) -> SecretStr | None:
        """The server's address with its password; None where none is set."""
        return self.credentials.url if self.credentials else None


def secret_in_file(document: Mapping[str, Any]) -> str | None:
    """What of `[warehouse]` in a file is a secret, and where it belongs; None when nothing is."""
    warehouse = document.get("warehouse")
    variable = secret_of(warehouse.get("credentials")) if isinstance(warehouse, dict) else None
    if variable is None:
        return None
    return f"warehouse.credentials: it holds a password. Set {variable} instead"


def with_password(document: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """The settings with the server's password, from the variable that they name.

    One that an address says itself comes first.
    """
    warehouse = document.get("warehouse")
    credentials = warehouse.get("credentials") if isinstance(warehouse, dict) else None
    if isinstance(credentials, str) and not secret_of(credentials):
        with suppress(ValueError):  # the validation says what is wrong with it
            credentials = fields_of(credentials.strip())
    if not isinstance(warehouse, dict) or not isinstance(credentials, dict):
        return document
    variable = credentials.get("password_env", PASSWORD_VARIABLE)
    if not isinstance(variable, str) or variable not in environment:
        return document
    credentials = {**credentials, "password": environment[variable]}
    return {**document, "warehouse": {**warehouse, "credentials": credentials}}
