"""All settings, and the warehouse's."""

import re
from functools import cached_property
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings.connection import ConnectionSettings
from invoiced_pipeline.settings.strict import Strict

DEFAULT_CONFIG = "invoiced.toml"


class WarehouseSettings(Strict):
    """`[warehouse]`: where data lands."""

    destination: Literal["duckdb"] = Field(default="duckdb", description="The kind of warehouse.")
    path: Path = Field(default=Path("data/invoiced.duckdb"), description="The DuckDB file.")


class Settings(Strict):
    """Everything a user can set, validated as a whole."""

    source: str = Field(
        default=DEFAULT_CONFIG, description="The file these settings were read from."
    )
    environment: bool = Field(
        default=True,
        strict=True,
        description="Whether INVOICED_* variables override the file's first connection.",
    )
    warehouse: WarehouseSettings = Field(default_factory=WarehouseSettings)
    connection: list[ConnectionSettings] = Field(default=[ConnectionSettings()], min_length=1)
    secrets: dict[str, SecretStr] = Field(default_factory=dict, repr=False)

    @cached_property
    def first(self) -> ConnectionSettings:
        """The connection that INVOICED_* variables describe."""
        return self.connection[0]

    @property
    def secret_variables(self) -> set[str]:
        """Environment variables that hold what is never in the file."""
        return {connection.api_key_env for connection in self.connection}

    def api_key(self, connection: ConnectionSettings) -> SecretStr:
        """The API key of `connection`.

        Raises:
            ConfigurationError: It is not set.
        """
        key = self.secrets.get(connection.api_key_env) or connection.api_key
        if key is None or not key.get_secret_value().strip():
            msg = (
                f"No API key for connection {connection.name!r}: set {connection.api_key_env} in "
                "the environment or in .env (Invoiced: Settings > Developers > API Keys). To look "
                f"around without an account: make run, or INVOICED_CONFIG=demo.toml."
            )
            raise ConfigurationError(msg)
        if not re.fullmatch(r"[!-9;-~]+", key.get_secret_value()):
            msg = (
                f"{connection.api_key_env} holds characters that no API key has, such as spaces or "
                "curly quotes: copy the key again (Invoiced: Settings > Developers > API Keys)"
            )
            raise ConfigurationError(msg)
        return key
