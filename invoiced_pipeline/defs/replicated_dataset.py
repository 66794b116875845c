"""One connection's dataset: what its assets, jobs and schedules are made from."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Self

import dagster as dg

from invoiced_pipeline.catalog import Table
from invoiced_pipeline.defs.connection_keys import ConnectionKeys
from invoiced_pipeline.defs.names import asset_key
from invoiced_pipeline.defs.partitions import partitions_for
from invoiced_pipeline.selection.tables import tables_of
from invoiced_pipeline.settings import ConnectionSettings, Settings
from invoiced_pipeline.warehouse.open import open_database
from invoiced_pipeline.warehouse.start_date import default_start_date


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplicatedDataset:
    """A connection with its tables, partitions and resources.

    Attributes:
        settings: All settings.
        connection: Its settings; they name the dataset.
        tables: The tables that the connection selects.
        keys: The keys of its Dagster resources.
        partitions: The partitions of every table.
        start: The connection's start date. Without one in the settings: that of the first load,
            or a year before today.
    """

    settings: Settings
    connection: ConnectionSettings
    tables: tuple[Table, ...]
    keys: ConnectionKeys
    partitions: dg.TimeWindowPartitionsDefinition
    start: datetime

    @classmethod
    def of(cls, settings: Settings, connection: ConnectionSettings) -> Self:
        """Collects what the settings say of a connection; the warehouse is not opened.

        Raises:
            ConfigurationError: The selection of tables is wrong.
        """
        database = open_database(settings.warehouse)
        start = connection.start_date or default_start_date(database, connection.dataset)
        return cls(
            settings=settings,
            connection=connection,
            tables=tuple(tables_of(settings, connection)),
            keys=ConnectionKeys.of(settings, connection),
            partitions=partitions_for(connection.partitions, start),
            start=start,
        )

    @property
    def name(self) -> str:
        """The name of the dataset, which is also the schema in the warehouse."""
        return self.connection.dataset

    @property
    def default_start(self) -> date | None:
        """The default start date; None if the settings name a start date."""
        return None if self.connection.start_date else self.start.date()

    def asset_key(self, table: Table) -> dg.AssetKey:
        """Returns the asset key of one of its tables."""
        return asset_key(self.connection, table)
