"""The smallest Dagster project that loads with dlt: one row into DuckDB."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg

from benchmarks.accounts import START


@dg.asset(partitions_def=dg.MonthlyPartitionsDefinition(start_date=START, end_offset=1))
def nothing() -> None:
    """Loads one row with dlt's defaults, but as Parquet, as this project does."""
    import dlt

    def rows() -> Iterator[dict[str, int]]:
        yield {"id": 1}

    folder = Path.cwd()
    pipeline = dlt.pipeline(
        "one_row",
        pipelines_dir=str(folder / "dlt"),
        destination=dlt.destinations.duckdb(str(folder / "one_row.duckdb")),
        dataset_name="one",
    )
    pipeline.run(dlt.resource(rows, name="rows"), loader_file_format="parquet")


defs = dg.Definitions(assets=[nothing], executor=dg.in_process_executor)
