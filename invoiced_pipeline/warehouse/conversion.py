"""The conversion of a DuckDB file to another storage version, with all that it holds."""

from dataclasses import dataclass
from pathlib import Path

from invoiced_pipeline.exceptions import WarehouseError
from invoiced_pipeline.settings import StorageVersion
from invoiced_pipeline.warehouse.database import StorageFormat
from invoiced_pipeline.warehouse.duckdb.database import DuckDbDatabase
from invoiced_pipeline.warehouse.duckdb.file_rewrite import convert

_RUN = "move"


@dataclass(frozen=True, slots=True)
class Conversion:
    """The result of a conversion.

    Attributes:
        before: The file's format before.
        after: Its format now; the same if there was nothing to do.
        bytes_before: Its size before.
        bytes_after: Its size now.
    """

    before: StorageFormat
    after: StorageFormat
    bytes_before: int
    bytes_after: int


def convert_file(database: DuckDbDatabase, version: StorageVersion) -> Conversion:
    """Converts the file of `database`, with all datasets in it; files beside it stay as they are.

    Raises:
        WarehouseBusyError: A run writes the file, or another program has it open.
        WarehouseError: There is no file, or it could not be converted and is unchanged.
    """
    file = Path(database.label)
    if not database.exists():
        message = f"There is no {file} to convert. A new file gets warehouse.storage_version"
        raise WarehouseError(message)
    with database.writer_lock("", _RUN):  # one lock for all datasets of a file
        before, bytes_before = database.storage_format(), file.stat().st_size
        if before.version != version:
            convert(file, version)
        after = database.storage_format()
    return Conversion(before, after, bytes_before, file.stat().st_size)
