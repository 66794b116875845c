"""dlt's PostgreSQL destination, which loads Parquet through ADBC.

Both of dlt's ways to load CSV turn empty strings into NULL, and `insert_values` is slow. ADBC
copies Arrow values unchanged; it needs columns of type `json`, which dlt creates for Parquet.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.destination.client import FollowupJobRequest, LoadJob
from dlt.common.destination.typing import PreparedTableSchema
from dlt.common.schema.typing import TColumnSchema
from dlt.common.schema.utils import get_columns_names_with_prop
from dlt.destinations import postgres as plain_postgres
from dlt.destinations.impl.postgres.factory import PostgresTypeMapper
from dlt.destinations.impl.postgres.postgres import PostgresClient, PostgresParquetCopyJob

from invoiced_pipeline.warehouse.postgres.nul_character import storable
from invoiced_pipeline.warehouse.version_merge import VersionMerge


class ExactCopyJob(PostgresParquetCopyJob):
    """Copies one Parquet file into its table, a row group at a time."""

    def run(self) -> None:
        """Copies the file; called by dlt."""
        _, schema = self._set_catalog_and_schema()
        with self._connect() as connection, connection.cursor() as cursor:
            cursor.adbc_ingest(
                self.load_table_name, self._reader(), mode="append", db_schema_name=schema
            )
            connection.commit()

    def _reader(self) -> pa.RecordBatchReader:
        file = pq.ParquetFile(self._file_path)
        columns = (self._load_table or {}).get("columns", {}).values()
        json = {str(each.get("name")) for each in columns if each.get("data_type") == "json"}

        def batches() -> Iterator[pa.RecordBatch]:
            with file:
                for batch in file.iter_batches():
                    yield storable(batch, json)

        return pa.RecordBatchReader.from_batches(file.schema_arrow, batches())


class JsonAsSent(PostgresTypeMapper):
    """Maps JSON to `json`, which keeps its text; ADBC cannot copy into `jsonb`."""

    def to_destination_type(self, column: TColumnSchema, table: PreparedTableSchema) -> str:
        """Returns the type of a column in the database."""
        if column.get("data_type") == "json":
            return "json"
        return super().to_destination_type(column, table)


class ExactPostgresClient(PostgresClient):
    """Loads Parquet with `ExactCopyJob`, creates indexes for merges, and keeps versions."""

    def create_load_job(
        self,
        table: PreparedTableSchema,
        file_path: str,
        load_id: str,
        restore: bool = False,  # noqa: FBT001, FBT002 - dlt's signature
    ) -> LoadJob:
        """Returns the job that loads one file."""
        job = super().create_load_job(table, file_path, load_id, restore)
        return ExactCopyJob(file_path) if isinstance(job, PostgresParquetCopyJob) else job

    def _create_merge_followup_jobs(self, table_chain: Sequence[Any]) -> list[FollowupJobRequest]:
        return [VersionMerge.from_table_chain(table_chain, self.sql_client)]

    def _get_table_update_sql(
        self, table_name: str, new_columns: Sequence[TColumnSchema], generate_alter: Any
    ) -> list[str]:
        statements = super()._get_table_update_sql(table_name, new_columns, generate_alter)
        table = self.schema.tables[table_name]
        key = get_columns_names_with_prop(table, "merge_key")
        key = key or get_columns_names_with_prop(table, "primary_key")
        if key and not generate_alter and not self.in_staging_dataset_mode:
            # Without it, a merge of a few rows reads the whole table to find the rows it replaces.
            name = self.sql_client.make_qualified_table_name(table_name)
            columns = ", ".join(map(self.sql_client.escape_column_name, key))
            statements.append(f"CREATE INDEX ON {name} ({columns})")
        return statements


class ExactPostgres(plain_postgres):
    """The destination to give to `dlt.pipeline`.

    It takes Parquet only: otherwise dlt silently uses CSV if a table does not ask for Parquet, or
    if it finds no ADBC driver.
    """

    def _raw_capabilities(self) -> DestinationCapabilitiesContext:
        capabilities: Any = super()._raw_capabilities()
        capabilities.preferred_loader_file_format = "parquet"
        capabilities.supported_loader_file_formats = ["parquet"]
        capabilities.loader_file_format_selector = None
        capabilities.type_mapper = JsonAsSent
        return capabilities

    @property
    def client_class(self) -> Any:
        """The client that dlt loads with."""
        return ExactPostgresClient

    def capabilities(
        self, config: Any = None, naming: Any = None
    ) -> DestinationCapabilitiesContext:
        """Returns what the database can do, for which dlt would resolve its settings each time."""
        return super().capabilities(config or self.spec(), naming)
