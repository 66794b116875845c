"""`[warehouse]`: the database that data is loaded into."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal, get_args

from pydantic import Field, SecretStr, field_validator

from invoiced_pipeline.settings.base import SettingsModel
from invoiced_pipeline.settings.postgres import (
    PASSWORD_VARIABLE,
    ServerSettings,
    fields_of,
    secret_of,
)

Destination = Literal["duckdb", "postgres"]
StorageVersion = Literal["v1.4.0", "v1.5.0", "v2.0.0"]
"""File formats of DuckDB, each named after the first DuckDB version that can open it."""

STORAGE_VERSION: StorageVersion = "v1.4.0"
"""The format of the oldest DuckDB with long-term support: drivers of other tools update late."""

DEFAULT_PATH = Path("data/warehouse.duckdb")
"""Not named after the default dataset: DuckDB names a catalog after its file, and
`invoiced.invoices` is ambiguous if catalog and schema are both called `invoiced`."""

OTHERS = (
    "docs/other-warehouses.md says what dlt's other destinations would need, and how to copy the "
    "data there"
)


class WarehouseSettings(SettingsModel):
    """`[warehouse]`: the database that data is loaded into."""

    destination: Destination = Field(
        default="duckdb", description="The kind of warehouse.", examples=["postgres"]
    )
    path: Path = Field(
        default=DEFAULT_PATH,
        description="The DuckDB file; relative paths start from the settings file's folder. With "
        "PostgreSQL, local files such as the pinned start date are in the same folder.",
        examples=["/srv/invoiced/warehouse.duckdb"],
    )
    storage_version: StorageVersion = Field(
        default=STORAGE_VERSION,
        description="The format of a new DuckDB file, named after the oldest DuckDB that can open "
        "it. `invoiced-pipeline move --storage-version` converts an existing file.",
        examples=["v2.0.0"],
    )
    credentials: ServerSettings | None = Field(
        default=None,
        description="The PostgreSQL server as an address without a password, or as the table "
        "`[warehouse.credentials]`. An address with a password belongs in the variable, never in "
        "the file.",
        examples=["postgresql://loader@db.example.com:5432/warehouse?sslmode=require"],
    )

    @field_validator("destination", mode="before")
    @classmethod
    def _is_one_of_ours(cls, destination: object) -> object:
        known = get_args(Destination)
        if destination in known:
            return destination
        # Only a plain name is repeated: anything else could be an address with a password.
        is_name = isinstance(destination, str) and destination.isidentifier()
        got = f" (got {destination!r})" if is_name else ""
        message = f"accepted values are {' and '.join(map(repr, known))}{got}. {OTHERS}"
        raise ValueError(message)

    @field_validator("credentials", mode="before")
    @classmethod
    def _address_becomes_fields(cls, credentials: object) -> object:
        if isinstance(credentials, SecretStr):
            credentials = credentials.get_secret_value()
        if not isinstance(credentials, str):
            return credentials
        return fields_of(credentials.strip()) if credentials.strip() else None

    @property
    def server(self) -> SecretStr | None:
        """The server's address with its password; None if no server is set."""
        return self.credentials.url if self.credentials else None


def secret_in_file(document: Mapping[str, Any]) -> str | None:
    """Describes a secret in a file's `[warehouse]` and where it belongs; None without one."""
    warehouse = document.get("warehouse")
    variable = secret_of(warehouse.get("credentials")) if isinstance(warehouse, dict) else None
    if variable is None:
        return None
    return f"warehouse.credentials: passwords are not allowed in the file. Set {variable} instead"


def with_password(document: dict[str, Any], environment: Mapping[str, str]) -> dict[str, Any]:
    """Adds the server's password from the variable that the settings name.

    A password in an address wins.
    """
    warehouse = document.get("warehouse")
    credentials = warehouse.get("credentials") if isinstance(warehouse, dict) else None
    if isinstance(credentials, str) and not secret_of(credentials):
        with suppress(ValueError):  # the validation reports what is wrong with it
            credentials = fields_of(credentials.strip())
    if not isinstance(warehouse, dict) or not isinstance(credentials, dict):
        return document
    variable = credentials.get("password_env", PASSWORD_VARIABLE)
    if not isinstance(variable, str) or variable not in environment:
        return document
    credentials = {**credentials, "password": environment[variable]}
    return {**document, "warehouse": {**warehouse, "credentials": credentials}}
