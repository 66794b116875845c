"""The root of all settings."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, model_validator

from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings.alerts import AlertSettings, split_addresses
from invoiced_pipeline.settings.base import SettingsModel
from invoiced_pipeline.settings.connection import ConnectionSettings, key_prefix_problem
from invoiced_pipeline.settings.connection_conflicts import (
    connection_conflict,
    have_different_hosts,
)
from invoiced_pipeline.settings.dagster import DagsterSettings
from invoiced_pipeline.settings.dataset_limits import dataset_problem
from invoiced_pipeline.settings.dbt_models import ModelsSettings
from invoiced_pipeline.settings.logs import LogsSettings
from invoiced_pipeline.settings.warehouse import WarehouseSettings
from invoiced_pipeline.settings.writeback import WritebackSettings
from invoiced_pipeline.settings.writeback_references import check_writebacks

DEFAULT_CONFIG = "invoiced.toml"


class Settings(SettingsModel):
    """All settings, validated together."""

    source: str = Field(
        default=DEFAULT_CONFIG, description="The file these settings were read from."
    )
    folder: Path = Field(
        default_factory=Path.cwd,
        description="The folder that relative paths start from: that of the settings file, or the "
        "working directory if there is none.",
    )
    directory: Path | None = Field(
        default=None,
        description="The folder that `load_settings` was given; None for the working directory.",
    )
    has_file: bool = Field(default=False, description="Whether there is a settings file.")
    dagster_home: str | None = Field(default=None, description="DAGSTER_HOME from `.env`.")
    environment: bool = Field(
        default=True,
        strict=True,
        description="Whether `INVOICED_*` variables override the file's warehouse and first "
        "connection.",
        examples=[False],
    )
    warehouse: WarehouseSettings = Field(
        default_factory=WarehouseSettings, description="The database that data is loaded into."
    )
    connection: list[ConnectionSettings] = Field(
        default=[ConnectionSettings()],
        min_length=1,
        description="The Invoiced accounts; each has its own dataset.",
    )
    writeback: list[WritebackSettings] = Field(
        default=[], description="Write-backs: rows that are sent to Invoiced."
    )
    models: ModelsSettings = Field(
        default_factory=ModelsSettings,
        description="The dbt models over the tables of every connection.",
    )
    dagster: DagsterSettings = Field(
        default_factory=DagsterSettings,
        description="Where Dagster records runs, and for how long.",
    )
    alerts: AlertSettings = Field(
        default_factory=AlertSettings, description="Where alerts are sent."
    )
    logs: LogsSettings = Field(
        default_factory=LogsSettings, description="How log lines are written."
    )
    secrets: dict[str, SecretStr] = Field(default_factory=dict, repr=False)

    @model_validator(mode="after")
    def _connections_do_not_conflict(self) -> Self:
        if problem := connection_conflict(self.connection):
            raise ValueError(problem)
        return self

    @model_validator(mode="after")
    def _destination_accepts_the_names(self) -> Self:
        for connection in self.connection:
            if problem := dataset_problem(connection, self.warehouse.destination):
                raise ValueError(problem)
        return self

    @model_validator(mode="after")
    def _writebacks_do_not_conflict(self) -> Self:
        check_writebacks(self.writeback, [each.name for each in self.connection])
        return self

    @property
    def file(self) -> Path | None:
        """The settings file; None if there is none."""
        return self.folder / Path(self.source).name if self.has_file else None

    @property
    def first(self) -> ConnectionSettings:
        """The first connection: the one that `INVOICED_*` variables can set."""
        return self.connection[0]

    def find(self, name: str | None) -> ConnectionSettings:
        """Returns the connection with that name or dataset; the first one for None.

        Raises:
            ConfigurationError: There is no such connection; the message lists all names.
        """
        for connection in self.connection:
            if name in {None, connection.name, connection.dataset}:
                return connection
        names = ", ".join(connection.name for connection in self.connection)
        msg = f"{self.source} has no connection {name!r}. Its connections: {names}"
        raise ConfigurationError(msg)

    def find_writeback(self, name: str) -> WritebackSettings:
        """Returns the write-back with that name.

        Raises:
            ConfigurationError: There is no such write-back; the message lists all names.
        """
        for each in self.writeback:
            if each.name == name:
                return each
        known = ", ".join(each.name for each in self.writeback) or "none"
        msg = f"{self.source} has no write-back {name!r}. Its write-backs: {known}"
        raise ConfigurationError(msg)

    @property
    def secret_variables(self) -> set[str]:
        """Names of the variables with secrets: API keys, salts, webhooks, addresses of alerts."""
        return {self.alerts.urls_env} | {
            name
            for connection in self.connection
            for name in (
                connection.api_key_env,
                connection.hash_salt_env,
                connection.webhook_secret_env,
            )
        }

    @property
    def alert_addresses(self) -> tuple[SecretStr, ...]:
        """The addresses that alerts are sent to; most contain a password or token."""
        secret = self.secrets.get(self.alerts.urls_env)
        found = split_addresses(secret.get_secret_value()) if secret else []
        return tuple(map(SecretStr, found))

    def api_key(self, connection: ConnectionSettings) -> SecretStr:
        """Returns the API key of `connection`.

        Raises:
            ConfigurationError: The key is not set or malformed, or a connection to another host
                has the same key.
        """
        key = self._key(connection)
        if key is None:
            msg = (
                f"No API key for connection {connection.name!r}: set {connection.api_key_env} in "
                "the environment or in .env (Invoiced: Settings > Developers > API Keys). To try "
                "the product without an account: make run, or INVOICED_CONFIG=demo.toml."
            )
            raise ConfigurationError(msg)
        if not re.fullmatch(r"[!-9;-~]+", key.get_secret_value()):
            msg = (
                f"{connection.api_key_env} contains characters that API keys never have, such as "
                "spaces or curly quotes: copy the key again (Invoiced: Settings > Developers > API "
                "Keys)"
            )
            raise ConfigurationError(msg)
        for other in self.connection:
            if have_different_hosts(connection, other) and self._key(other) == key:
                msg = (
                    f"{connection.api_key_env} and {other.api_key_env} hold the same key, but "
                    f"connection {connection.name!r} uses {connection.base_url} and "
                    f"{other.name!r} uses {other.base_url}, and a key works at one of them only. "
                    "Nothing was sent. Set the right key for each"
                )
                raise ConfigurationError(msg)
        return key

    def is_same_account(self, one: ConnectionSettings, other: ConnectionSettings) -> bool:
        """Whether two connections have the same host and key, in one variable or in two."""
        if have_different_hosts(one, other):
            return False
        key = self._key(one)
        return key == self._key(other) if key else one.api_key_env == other.api_key_env

    def hash_salt(self, connection: ConnectionSettings) -> SecretStr:
        """Returns the salt for the columns that `connection` hashes.

        Raises:
            ConfigurationError: It is not set.
        """
        salt = self.secrets.get(connection.hash_salt_env)
        if salt is None:
            msg = (
                f"No salt for the hashed columns of connection {connection.name!r}: set "
                f"{connection.hash_salt_env} in the environment or in .env to a long random text, "
                "and keep it: another salt gives other hashes for the same values"
            )
            raise ConfigurationError(msg)
        return salt

    def webhook_secret(self, connection: ConnectionSettings) -> SecretStr | None:
        """Returns the secret of the connection's webhook; None if it is not set."""
        return self.secrets.get(connection.webhook_secret_env)

    def _key(self, connection: ConnectionSettings) -> SecretStr | None:
        key = self.secrets.get(connection.api_key_env) or connection.api_key
        return key if key and key.get_secret_value().strip() else None


def with_key_prefix(settings: Settings, key_prefix: Sequence[str]) -> Settings:
    """Returns the settings with another `key_prefix` for every connection.

    Raises:
        ConfigurationError: It has characters that names of jobs cannot have.
    """
    problem = key_prefix_problem(key_prefix)
    if problem:
        message = f"key_prefix: {problem}"
        raise ConfigurationError(message)
    changed = [
        each.model_copy(update={"key_prefix": list(key_prefix)}) for each in settings.connection
    ]
    return settings.model_copy(update={"connection": changed})
