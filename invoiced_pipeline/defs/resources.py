"""What the op needs from outside: the API, the start date and the warehouse."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast, get_args

import dagster as dg
from pydantic import Field, ValidationError, field_validator

from invoiced_pipeline.defs.runs.dead_runs import (
    PROCESS_TAG,
    fail_dead_runs,
    mark_failed,
    this_process,
)
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.invoiced.http.in_flight_limit import DEFAULT_IN_FLIGHT, InFlightLimit
from invoiced_pipeline.settings import (
    DATE_FORMS,
    RENAME_ADVICE,
    ConnectionSettings,
    Destination,
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
    from invoiced_pipeline.invoiced.http.client import InvoicedClient


_log = logging.getLogger(__name__)


class InvoicedApi(dg.ConfigurableResource):
    """The Invoiced account. The API key is read inside a run, from environment or `.env`."""

    connection: str = Field(description="Name of the connection in the settings.")
    base_url: str = Field(description="Scheme and host of the API; requests go nowhere else.")
    in_flight: int = Field(
        default=DEFAULT_IN_FLIGHT,
        ge=1,
        le=20,
        description="Requests under way at a time, of 20 per key.",
    )

    @contextmanager
    def client(self) -> "Iterator[InvoicedClient]":
        """A client that is closed afterwards.

        Raises:
            ConfigurationError: The API key is not set, or it would go to another host than the
                connection's.
        """
        from invoiced_pipeline.invoiced.http.client import InvoicedClient

        settings = load_settings()
        connection = settings.find(self.connection)
        if remembered_host(self.base_url) not in {"localhost", _host(connection)}:
            message = (
                f"The run asks for {self.base_url}, and connection {connection.name!r} is at "
                f"{connection.base_url} by {settings.source}: its key goes nowhere else. Reload "
                "the definitions, or leave base_url out of the run's configuration"
            )
            raise ConfigurationError(message)
        client = InvoicedClient(
            self.base_url,
            settings.api_key(connection),
            limit=InFlightLimit(self.in_flight),
            proxy=connection.proxy,
        )
        try:
            yield client
        finally:
            client.close()


class StartDate(dg.ConfigurableResource):
    """Records updated before this date are not replicated; it clips the first partition."""

    date: str = Field(description=f"Accepted forms: {DATE_FORMS}.")

    @field_validator("date")
    @classmethod
    def _is_a_date(cls, text: str) -> str:
        parse_start_date(text)
        return text

    @property
    def instant(self) -> datetime:
        """The date as an instant, UTC."""
        return parse_start_date(self.date)


class Warehouse(dg.ConfigurableResource):
    """Where data lands. A server's credentials are read inside a run, as the API key is."""

    path: str = Field(
        description="The DuckDB file; what belongs to a server's warehouse lies in its folder."
    )
    destination: str = Field(default="duckdb", description="The kind of warehouse.")

    @property
    def database(self) -> Database:
        """The warehouse; nothing of it is open yet.

        Raises:
            ConfigurationError: There is no such destination, or a new file may not be called so.
        """
        settings = load_settings()
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
        """Holds the right to write; runs that died holding it, or before, are marked as failed.

        Args:
            dataset: Whose tables are written.
            run_id: The run that writes.
            instance: Where runs are recorded.
            wait: Whether to wait for another run that writes, however long.

        Raises:
            WarehouseBusyError: Another run holds it, and this one does not wait.
        """
        instance.add_run_tags(run_id, {PROCESS_TAG: this_process()})
        database = self.database
        if database.kind == "duckdb":
            problem = ambiguous_name(Path(database.label), load_settings().connection)
            if problem:
                _log.warning("%s. %s", problem, RENAME_ADVICE)
        with database.writer_lock(dataset, run_id, wait=wait) as dead:
            if dead is not None:
                mark_failed(instance, dead.run_id)
            fail_dead_runs(instance, dataset, but=run_id)
            yield


def _host(connection: ConnectionSettings) -> str:
    return remembered_host(connection.base_url)
