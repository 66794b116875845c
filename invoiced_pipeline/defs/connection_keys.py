"""Which of Dagster's resources are a connection's own."""

from dataclasses import dataclass
from typing import Any, Self

from invoiced_pipeline.defs.resources import InvoicedApi, StartDate, Warehouse
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import ConnectionSettings, Settings


@dataclass(frozen=True, slots=True)
class ConnectionKeys:
    """Keys of one connection's resources; all connections write the same warehouse.

    The first connection's are the plain names, others end in the dataset: `start_date_acme`.
    """

    connection: str
    invoiced_api: str
    start_date: str
    warehouse: str = "warehouse"

    @classmethod
    def of(cls, settings: Settings, connection: ConnectionSettings) -> Self:
        """The keys of one of the connections."""
        suffix = "" if connection == settings.first else f"_{connection.dataset}"
        return cls(connection.name, f"invoiced_api{suffix}", f"start_date{suffix}")

    @property
    def required(self) -> set[str]:
        """What an op has to ask Dagster for."""
        return {self.invoiced_api, self.start_date, self.warehouse}

    def found_in(self, resources: Any) -> tuple[InvoicedApi, StartDate, Warehouse]:
        """The resources themselves.

        Args:
            resources: Those of an op's context.

        Raises:
            ConfigurationError: The run's configuration names another connection, whose records
                would land in this one's dataset.
        """
        invoiced_api: InvoicedApi = getattr(resources, self.invoiced_api)
        if invoiced_api.connection != self.connection:
            message = (
                f"The run asks for connection {invoiced_api.connection!r}, and these tables are of "
                f"{self.connection!r}: leave connection out of the run's configuration"
            )
            raise ConfigurationError(message)
        return (
            invoiced_api,
            getattr(resources, self.start_date),
            getattr(resources, self.warehouse),
        )
