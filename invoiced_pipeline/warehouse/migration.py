"""Moves a dataset from a DuckDB file to a PostgreSQL database: rows, state and pinned start date.

dlt's own tables come along, and with them what the dataset remembers: coverage, rejects, whose it
is. The next sync goes on from there, and the account is not read again.
"""

import shutil
from dataclasses import dataclass
from pathlib import Path

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.plurals import counted
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline.warehouse.postgres.database import PostgresDatabase
from invoiced_pipeline.warehouse.start_date import pin_path

_RUN = "move"


@dataclass(frozen=True, slots=True)
class Moved:
    """One table that was copied.

    Attributes:
        table: Its name.
        rows: How many rows it has, there and here.
    """

    table: str
    rows: int


def move_dataset(source: DuckDbDatabase, target: PostgresDatabase, dataset: str) -> list[Moved]:
    """Copies every table of `dataset`, in one transaction; the file stays as it is.

    Views are left out: the next sync makes them.

    Args:
        source: The file.
        target: The server; it must not hold the dataset yet.
        dataset: What is copied.

    Raises:
        WarehouseBusyError: A run writes the one or the other.
        WarehouseError: There is nothing to copy, or the server holds it already. Nothing was
            changed.
    """
    from invoiced_pipeline.warehouse.postgres.table_copy import copy_tables

    if not source.exists():
        message = f"There is no {source.label} to move {dataset} from"
        raise WarehouseError(message)
    with source.writer_lock(dataset, _RUN), target.writer_lock(dataset, _RUN):
        with target.session(dataset, read_only=True) as session:
            if there := session.tables() - {"_writer"}:
                message = (
                    f"{target.label} holds {dataset} already, with {counted(len(there), 'table')}. "
                    f'Nothing was copied. If they may go: drop schema "{dataset}" cascade'
                )
                raise WarehouseError(message)
        rows = copy_tables(Path(source.label), target, dataset)
        _move_pin(source, target, dataset)
    return [Moved(table, count) for table, count in rows.items()]


def _move_pin(source: DuckDbDatabase, target: PostgresDatabase, dataset: str) -> None:
    pin, there = pin_path(source, dataset), pin_path(target, dataset)
    if pin.exists():
        there.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(pin, there)
