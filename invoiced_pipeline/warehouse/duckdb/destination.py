"""dlt's DuckDB destination with the catalog in every name.

DuckDB names a catalog after its file. With a dataset `invoiced` in `invoiced.duckdb`, as in version
0.1.0, it refuses `invoiced.invoices` as ambiguous; `invoiced.invoiced.invoices` is unambiguous.
"""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
from dlt.common.destination.capabilities import DestinationCapabilitiesContext
from dlt.common.schema import Schema
from dlt.destinations import duckdb as plain_duckdb
from dlt.destinations.impl.duckdb.configuration import DuckDbClientConfiguration

from invoiced_pipeline.warehouse.duckdb.in_place_merge import (
    InPlaceMergeClient,
    InPlaceMergeSqlClient,
)


@cache
def _catalog_of(file_name: str) -> str:
    """Returns the catalog of a file with this name, from an empty file.

    The warehouse itself cannot be used: several threads of the load call this, and opening the file
    while another thread closes it is an error (`Unique file handle conflict`).
    """
    with TemporaryDirectory() as folder, duckdb.connect(str(Path(folder) / file_name)) as empty:
        row = empty.execute("select current_database()").fetchone()
    return str(row[0]) if row else Path(file_name).stem


class QualifiedSqlClient(InPlaceMergeSqlClient):
    """Names tables as catalog, schema, table."""

    def catalog_name(self, quote: bool = True, casefold: bool = True) -> str | None:  # noqa: FBT001, FBT002 - dlt's signature
        """Returns the catalog that DuckDB gives the file."""
        name = _catalog_of(Path(str(self.credentials.database)).name)
        name = self.capabilities.casefold_identifier(name) if casefold else name
        return self.capabilities.escape_identifier(name) if quote else name


class QualifiedDuckDbClient(InPlaceMergeClient):
    """Loads through `QualifiedSqlClient`."""

    def __init__(
        self,
        schema: Schema,
        config: DuckDbClientConfiguration,
        capabilities: DestinationCapabilitiesContext,
    ) -> None:
        super().__init__(schema, config, capabilities)
        plain = self.sql_client
        self.sql_client = QualifiedSqlClient(
            plain.dataset_name, plain.staging_dataset_name, config.credentials, capabilities
        )


class QualifiedDuckDb(plain_duckdb):
    """The destination to give to `dlt.pipeline`."""

    @property
    def client_class(self) -> Any:
        """The client that dlt loads with."""
        return QualifiedDuckDbClient

    def capabilities(
        self, config: Any = None, naming: Any = None
    ) -> DestinationCapabilitiesContext:
        """Returns what the database can do, for which dlt would resolve its settings each time."""
        return super().capabilities(config or self.spec(), naming)
