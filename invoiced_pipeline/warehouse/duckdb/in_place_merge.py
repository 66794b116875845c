"""Merges read the Parquet files of a load where they lie.

dlt copies every file into a staging table first and merges from there: DuckDB then writes each row
twice, which is half of a large load. It then numbers the rows of each key to take the first: whole
rows, for which DuckDB puts a large table aside on disk (measured with dlt 1.31, DuckDB 2.0).
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, cast

from dlt.common.destination.client import (
    FollowupJobRequest,
    HasFollowupJobs,
    LoadJob,
    RunnableLoadJob,
)
from dlt.common.storages.load_package import LoadJobInfo
from dlt.destinations.impl.duckdb.duck import DuckDbClient
from dlt.destinations.impl.duckdb.sql_client import DuckDbSqlClient
from dlt.destinations.sql_jobs import SqlMergeFollowupJob


class _LeftInPlace(RunnableLoadJob, HasFollowupJobs):
    """A file that a merge is going to read: there is nothing to do before."""

    def run(self) -> None:
        """Does nothing."""


class InPlaceMergeSqlClient(DuckDbSqlClient):
    """Names the files of a load where dlt asks for a staging table.

    Attributes:
        staged: SQL of the files, by table, while a merge is written.
    """

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.staged: dict[str, str] = {}

    def get_qualified_table_names(
        self,
        table_name: str,
        quote: bool = True,  # noqa: FBT001, FBT002 - dlt's signature
        casefold: bool = True,  # noqa: FBT001, FBT002 - dlt's signature
    ) -> tuple[str, str]:
        """The table, and what stands for its staging table."""
        table, staging = super().get_qualified_table_names(table_name, quote, casefold)
        return table, self.staged.get(table_name, staging)


class _MergeInPlace(SqlMergeFollowupJob):
    """A merge that numbers keys, not rows, to tell which rows of a load are surplus."""

    @classmethod
    def gen_select_from_dedup_sql(  # noqa: PLR0913, PLR0917 - dlt's signature
        cls,
        table_name: str,
        primary_keys: Sequence[str],
        columns: Sequence[str],
        dedup_sort: tuple[str, Any] | None = None,
        condition: str | None = None,
        condition_columns: Sequence[str] | None = None,  # noqa: ARG003 - all can be seen
        skip_dedup: bool = False,  # noqa: FBT001, FBT002 - dlt's signature
    ) -> str:
        """The rows of the files, of each key the first alone unless that is not wanted."""
        wanted = condition or "1 = 1"
        if skip_dedup:
            return super().gen_select_from_dedup_sql(
                table_name, primary_keys, columns, condition=wanted, skip_dedup=True
            )
        order = " ".join(dedup_sort) if dedup_sort else cls.default_order_by()
        # Where a row lies: columns that DuckDB has beside those of every Parquet file.
        return f"""
            SELECT {", ".join(columns)} FROM {table_name} AS loaded
            ANTI JOIN (
                SELECT file_index, file_row_number FROM {table_name}
                QUALIFY ROW_NUMBER() OVER (
                    PARTITION BY {", ".join(primary_keys)} ORDER BY {order}
                ) > 1
            ) AS surplus USING (file_index, file_row_number)
            WHERE {wanted}
        """  # noqa: S608


class InPlaceMergeClient(DuckDbClient):
    """A DuckDB client without staging tables; its `sql_client` is a `InPlaceMergeSqlClient`."""

    def _create_merge_followup_jobs(self, table_chain: Any) -> list[FollowupJobRequest]:
        return [_MergeInPlace.from_table_chain(table_chain, self.sql_client)]

    def create_load_job(
        self,
        table: Any,
        file_path: str,
        load_id: str,
        restore: bool = False,  # noqa: FBT001, FBT002 - dlt's signature
    ) -> LoadJob:
        """As dlt's, but nothing is copied for a merge."""
        if file_path.endswith(".parquet") and self.should_load_data_to_staging_dataset(
            table["name"]
        ):
            return _LeftInPlace(file_path)
        return super().create_load_job(table, file_path, load_id, restore)

    def create_table_chain_completed_followup_jobs(
        self,
        table_chain: Sequence[Any],
        completed_table_chain_jobs: Sequence[LoadJobInfo] | None = None,
    ) -> list[FollowupJobRequest]:
        """The merge of a table, written for the files of its jobs."""
        jobs = completed_table_chain_jobs or ()
        client = cast("InPlaceMergeSqlClient", self.sql_client)
        client.staged = {
            table["name"]: _read_parquet(
                job.file_path for job in jobs if job.job_file_info.table_name == table["name"]
            )
            for table in table_chain
        }
        try:
            return super().create_table_chain_completed_followup_jobs(table_chain, jobs)
        finally:
            client.staged = {}

    def initialize_storage(self, truncate_tables: Any = None) -> None:
        """Creates or truncates; removes what an earlier version staged."""
        if not self.in_staging_dataset_mode:
            super().initialize_storage(truncate_tables)
            return
        # Without the catalog: `invoiced.invoiced_staging` is ambiguous in `invoiced.duckdb`.
        name = self.capabilities.escape_identifier(self.sql_client.staging_dataset_name)
        self.sql_client.execute_sql(f"DROP SCHEMA IF EXISTS {name} CASCADE")

    def update_stored_schema(
        self,
        only_tables: Any = None,
        expected_update: Any = None,
        force: bool = False,  # noqa: FBT001, FBT002 - dlt's signature
    ) -> Any:
        """Creates and widens tables; there are none to stage in."""
        if self.in_staging_dataset_mode:
            return {}
        return super().update_stored_schema(only_tables, expected_update, force)


def _read_parquet(files: Iterable[str]) -> str:
    return f"read_parquet([{', '.join(map(_literal, files))}], union_by_name = true)"


def _literal(file: str) -> str:
    """A path as SQL: no pattern of files, and without that at which dlt takes a script apart."""
    path = re.sub(r"([*?\[])", r"[\1]", file)
    text = path.replace("'", "''")
    return "'" + re.sub(r"[;\n]", lambda found: f"' || chr({ord(found[0])}) || '", text) + "'"
