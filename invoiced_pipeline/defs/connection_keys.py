"""Keys of the Dagster resources that a connection uses."""

from dataclasses import dataclass
from typing import Any, Self

from invoiced_pipeline.defs.names import prefixed
from invoiced_pipeline.defs.resources import InvoicedApi, StartDate, Warehouse
from invoiced_pipeline.exceptions import ConfigurationError
from invoiced_pipeline.settings import ConnectionSettings, Settings


def warehouse_key(settings: Settings) -> str:
    """Returns the resource key of the warehouse."""
    return prefixed(settings.first, "warehouse")


@dataclass(frozen=True, slots=True)
class ConnectionKeys:
    """The resource keys of one connection; all connections share the warehouse.

    The first connection has the plain names. Others end in the dataset: `start_date_acme`. All
    begin with the connection's `key_prefix`, the warehouse with that of the first connection.
    """

    connection: str
    invoiced_api: str
    start_date: str
    warehouse: str

    @classmethod
    def of(cls, settings: Settings, connection: ConnectionSettings) -> Self:
        """Returns the keys of one of the connections."""
        suffix = "" if connection == settings.first else f"_{connection.dataset}"
        return cls(
            connection.name,
            prefixed(connection, f"invoiced_api{suffix}"),
            prefixed(connection, f"start_date{suffix}"),
            warehouse_key(settings),
        )

    @property
    def required(self) -> set[str]:
        """Returns the keys that an op requires."""
        return {self.invoiced_api, self.start_date, self.warehouse}

    def found_in(self, resources: Any) -> tuple[InvoicedApi, StartDate, Warehouse]:
        """Returns the connection's resources.

        Args:
            resources: The resources in an op's context.

        Raises:
            ConfigurationError: The run's configuration names another connection, whose records
                would be loaded into this one's dataset.
        """
        invoiced_api: InvoicedApi = getattr(resources, self.invoiced_api)
        if invoiced_api.connection != self.connection:
            message = (
                f"The run's configuration names connection {invoiced_api.connection!r}, but these "
                f"tables belong to {self.connection!r}: remove connection from the configuration"
            )
            raise ConfigurationError(message)
        return (
            invoiced_api,
            getattr(resources, self.start_date),
            getattr(resources, self.warehouse),
        )
