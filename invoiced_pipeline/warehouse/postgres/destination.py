"""dlt's PostgreSQL destination, which loads Parquet: few rows as CSV, many through ADBC.

Both of dlt's ways to load CSV turn empty strings into NULL, and `insert_values` is slow. ADBC
copies Arrow values unchanged; it needs columns of type `json`, which dlt creates for Parquet.
"""

import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute
import pyarrow.parquet as pq
from dlt.common.destination import DestinationCapabilitiesContext
from dlt.common.destination.client import FollowupJobRequest, LoadJob
from dlt.common.destination.typing import PreparedTableSchema
from dlt.common.schema.typing import TColumnSchema
from dlt.common.schema.utils import get_columns_names_with_prop
from dlt.destinations import postgres as plain_postgres
from dlt.destinations.impl.postgres.factory import PostgresTypeMapper
from dlt.destinations.impl.postgres.postgres import PostgresClient, PostgresParquetCopyJob
from pyarrow import csv

from invoiced_pipeline.warehouse.postgres.nul_character import storable
from invoiced_pipeline.warehouse.version_merge import VersionMerge

MOST_CSV_ROWS = 10_000
"""Rows of a file that are sent as CSV, which takes twice the time of ADBC per row.

A connection of ADBC's driver begins with the types of every table in the database: 0.1 CPU seconds
for one dataset, 0.5 for twenty.
"""

_CSV = csv.WriteOptions(include_header=False, quoting_style="all_valid")
"""Quotes all values but NULL, as PostgreSQL reads them: `""` is an empty text."""


class ExactCopyJob(PostgresParquetCopyJob):
    """Copies one Parquet file into its table, a row group at a time."""

    def run(self) -> None:
        """Copies the file; called by dlt."""
        with pq.ParquetFile(self._file_path) as file:
            rows = file.read() if file.metadata.num_rows <= MOST_CSV_ROWS else None
            if rows is not None and is_csv_exact(rows):
                self._copy_csv(rows)
            else:
                self._copy_arrow(file)

    def _copy_csv(self, rows: pa.Table) -> None:
        client = self._job_client.sql_client
        table = client.make_qualified_table_name(self.load_table_name)
        columns = ", ".join(map(client.escape_column_name, rows.column_names))
        text = io.BytesIO()
        batches = self._storable(rows.to_batches())
        csv.write_csv(pa.Table.from_batches(batches, rows.schema), text, _CSV)
        text.seek(0)
        with client.begin_transaction(), client.native_connection.cursor() as cursor:
            # The server would otherwise read the bytes as PGCLIENTENCODING says.
            options = "format csv, encoding 'UTF8'"
            cursor.copy_expert(f"copy {table} ({columns}) from stdin ({options})", text)

    def _copy_arrow(self, file: pq.ParquetFile) -> None:
        batches = self._storable(file.iter_batches())
        reader = pa.RecordBatchReader.from_batches(file.schema_arrow, batches)
        _, schema = self._set_catalog_and_schema()
        with self._connect() as connection, connection.cursor() as cursor:
            cursor.adbc_ingest(self.load_table_name, reader, mode="append", db_schema_name=schema)
            connection.commit()

    def _storable(self, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        columns = (self._load_table or {}).get("columns", {}).values()
        json = {str(each.get("name")) for each in columns if each.get("data_type") == "json"}
        for batch in batches:
            yield storable(batch, json)


def is_csv_exact(rows: pa.Table) -> bool:
    """Returns whether PostgreSQL reads all values as Arrow writes them: none is before year 1."""
    compute: Any = pyarrow.compute  # its functions are created at import
    instants = [each for each in rows.columns if pa.types.is_timestamp(each.type)]
    first = pa.scalar(datetime.min.replace(tzinfo=UTC), pa.timestamp("us", tz="UTC"))
    return not any(compute.any(compute.less(each, first)).as_py() for each in instants)


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
