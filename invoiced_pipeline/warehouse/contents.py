"""What a dataset holds and remembers."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from invoiced_pipeline.warehouse.database import Database
from invoiced_pipeline.warehouse.failures import load_error

if TYPE_CHECKING:
    from dlt import Pipeline


def remembered_state(pipeline: "Pipeline", database: Database, source: str) -> dict[str, Any]:
    """What the dataset remembers for a source, as last committed; empty for a new dataset.

    Raises:
        WarehouseError: The destination cannot be read.
    """
    from dlt.pipeline.exceptions import PipelineStepFailed

    if not database.exists():
        return {}
    try:
        pipeline.drop()
        pipeline.sync_destination()
    except PipelineStepFailed as error:
        raise load_error(error, database) from error
    return dict(pipeline.state.get("sources", {}).get(source, {}))


def row_counts(database: Database, dataset: str, tables: Iterable[str]) -> dict[str, int]:
    """Rows per table; 0 for a table that does not exist yet.

    Raises:
        WarehouseError: The warehouse cannot be read.
    """
    counts = dict.fromkeys(tables, 0)
    if not database.exists():
        return counts
    with database.session(dataset, read_only=True) as session:
        for table in session.tables().intersection(counts):
            ((counts[table],),) = session.rows(f'select count(*) from "{table}"')  # noqa: S608
    return counts
