"""Dagster resources: the API, the start date and the warehouse."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

import dagster as dg
from pydantic import Field, ValidationError, field_validator

from invoiced_pipeline.defs.runs.dead_runs import fail_dead_runs, mark_failed
from invoiced_pipeline.defs.runs.liveness import PROCESS_TAG, this_process
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import (
    DATE_FORMS,
    RENAME_ADVICE,
    REQUESTS_IN_FLIGHT,
    ConnectionSettings,
    Destination,
    Settings,
    WarehouseSettings,
    ambiguous_name,
    load_settings,
    parse_start_date,
    refused_name,
    remembered_host,
)
from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.open import open_database

if TYPE_CHECKING:
    from invoiced_pipeline.invoiced.http.client import InvoicedClient, RetryPolicy


_log = logging.getLogger(__name__)

_SETTINGS_FOLDER = "The folder of the settings and `.env`; the working directory if empty."


def settings_folder(settings: Settings) -> str:
    """Returns the folder in which runs look for the settings that `settings` came from."""
    return str(settings.directory or "")


class InvoicedApi(dg.ConfigurableResource):
    """The Invoiced account. A run reads the API key itself, from the environment or `.env`."""

    connection: str = Field(description="Name of the connection in the settings.")
    base_url: str = Field(description="Scheme and host of the API; requests go nowhere else.")
    settings_folder: str = Field(default="", description=_SETTINGS_FOLDER)
    in_flight: int = Field(
        default=REQUESTS_IN_FLIGHT,
        ge=1,
        le=20,
        description="Requests in flight at a time; the API allows 20 per key.",
    )

    @contextmanager
    def client(self, *, retry_policy: "RetryPolicy | None" = None) -> "Iterator[InvoicedClient]":
        """Yields a client, and closes it afterwards.

        Args:
            retry_policy: How often a request is tried; often by default.

        Raises:
            ConfigurationError: The API key is not set, or `base_url` is not the connection's host.
        """
        from invoiced_pipeline.invoiced.http.client import InvoicedClient

        settings = _settings_in(self.settings_folder)
        connection = settings.find(self.connection)
        if remembered_host(self.base_url) not in {"localhost", _host(connection)}:
            message = (
                f"The run's base_url is {self.base_url}, but {settings.source} has connection "
                f"{connection.name!r} at {connection.base_url}, and its key is sent only there. "
                "Reload the definitions, or remove base_url from the run's configuration"
            )
            raise ConfigurationError(message)
        client = InvoicedClient(
            self.base_url,
            settings.api_key(connection),
            requests_in_flight=self.in_flight,
            retry_policy=retry_policy,
            proxy=connection.proxy,
        )
        try:
            yield client
        finally:
            client.close()


def invoiced_api(settings: Settings, connection: ConnectionSettings) -> InvoicedApi:
    """Returns the resource of a connection's account."""
    return InvoicedApi(
        connection=connection.name,
        base_url=connection.base_url,
        settings_folder=settings_folder(settings),
        in_flight=connection.requests_in_flight,
    )


class StartDate(dg.ConfigurableResource):
    """The start date: records updated before it are not replicated."""

    date: str = Field(description=f"Accepted forms: {DATE_FORMS}.")

    @field_validator("date")
    @classmethod
    def _is_a_date(cls, text: str) -> str:
        parse_start_date(text)
        return text

    @property
    def instant(self) -> datetime:
        """Returns midnight (UTC) of the date."""
        return parse_start_date(self.date)


class Warehouse(dg.ConfigurableResource):
    """The warehouse. A run reads a server's credentials itself, as it reads the API key."""

    path: str = Field(
        description="The DuckDB file. With PostgreSQL, its folder holds the local files."
    )
    destination: str = Field(default="duckdb", description="The kind of warehouse.")
    settings_folder: str = Field(default="", description=_SETTINGS_FOLDER)

    @property
    def database(self) -> Database:
        """Returns the warehouse, not opened yet.

        Raises:
            ConfigurationError: There is no such destination, or a new file may not have this name.
        """
        settings = _settings_in(self.settings_folder)
        path = settings.folder / self.path
        if self.destination == "duckdb" and (why := refused_name(path, settings.connection)):
            raise ConfigurationError(why)
        try:
            warehouse = WarehouseSettings(
                destination=cast(Destination, self.destination),
                path=path,
                storage_version=settings.warehouse.storage_version,
                credentials=settings.warehouse.credentials,
            )
        except ValidationError:
            known = ", ".join(get_args(Destination))
            message = f"There is no destination {self.destination!r}. There are {known}"
            raise ConfigurationError(message) from None  # its text repeats the credentials
        return open_database(warehouse)

    @contextmanager
    def writer(
        self, dataset: str, run_id: str, instance: dg.DagsterInstance, *, wait: bool = False
    ) -> Iterator[None]:
        """Holds the writer's lock; runs whose process died are marked as failed.

        Args:
            dataset: The dataset to write.
            run_id: The run that writes.
            instance: Where runs are recorded.
            wait: Whether to wait while another run writes, without a time limit.

        Raises:
            WarehouseBusyError: Another run holds the lock, and this one does not wait.
        """
        instance.add_run_tags(run_id, {PROCESS_TAG: this_process()})
        database = self.database
        if database.kind == "duckdb":
            settings = _settings_in(self.settings_folder)
            problem = ambiguous_name(Path(database.label), settings.connection)
            if problem:
                _log.warning("%s. %s", problem, RENAME_ADVICE)
        with database.writer_lock(dataset, run_id, wait=wait) as dead:
            if dead is not None:
                mark_failed(instance, dead.run_id)
            fail_dead_runs(instance, dataset, database.lock_state(dataset), but=run_id)
            yield


def _settings_in(folder: str) -> Settings:
    return load_settings(folder=Path(folder) if folder else None)


def _host(connection: ConnectionSettings) -> str:
    return remembered_host(connection.base_url)
