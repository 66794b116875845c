"""The move of a dataset from a DuckDB file to a PostgreSQL database.

Rows, dlt's own tables and the pinned start date are copied. dlt's tables hold what the dataset
remembers: coverage, rejects, and whose it is. So the next sync goes on from there, and the account
is not read again.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline.warehouse.duckdb.stored_tables import stored_tables
from invoiced_pipeline.warehouse.postgres.database import PostgresDatabase
from invoiced_pipeline.warehouse.postgres.table_copy import copy_tables
from invoiced_pipeline.warehouse.start_date import pin_path

_RUN = "move"


@dataclass(frozen=True, slots=True)
class CopiedTable:
    """One table that was copied.

    Attributes:
        table: Its name.
        rows: How many rows it has, in the file and on the server.
    """

    table: str
    rows: int


def move_dataset(
    source: DuckDbDatabase, target: PostgresDatabase, dataset: str
) -> list[CopiedTable]:
    """Copies every table of `dataset`, in one transaction; the file stays as it is.

    Views are left out: the next sync creates them.

    Args:
        source: The file.
        target: The server; it must not hold the dataset yet.
        dataset: What is copied.

    Raises:
        WarehouseBusyError: A run writes the file or the server.
        WarehouseError: There is nothing to copy, or the server holds the dataset already. Nothing
            was changed.
    """
    if not source.exists():
        message = f"There is no {source.label} to move {dataset} from"
        raise WarehouseError(message)
    with source.writer_lock(dataset, _RUN), target.writer_lock(dataset, _RUN):
        _check_vacant(target, dataset)
        with stored_tables(Path(source.label), dataset) as tables:
            if not tables:
                message = f"{source.label} holds no tables of {dataset}: there is nothing to move"
                raise WarehouseError(message)
            rows = copy_tables(tables, target.address, dataset)
        _copy_start_date(source, target, dataset)
    return [CopiedTable(table, count) for table, count in rows.items()]


def _check_vacant(target: PostgresDatabase, dataset: str) -> None:
    with target.session(dataset, read_only=True) as session:
        present = session.tables() - {"_writer"}
    if present:
        message = (
            f"{target.label} already holds {dataset}, with {counted(len(present), 'table')}. "
            f'Nothing was copied. If they may go: drop schema "{dataset}" cascade'
        )
        raise WarehouseError(message)


def _copy_start_date(source: DuckDbDatabase, target: PostgresDatabase, dataset: str) -> None:
    pin, copy = pin_path(source, dataset), pin_path(target, dataset)
    if pin.exists():
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(pin, copy)
