"""The smallest comparable Dagster project: one partitioned asset that does nothing."""

import dagster as dg

from benchmarks.accounts import START


@dg.asset(partitions_def=dg.MonthlyPartitionsDefinition(start_date=START, end_offset=1))
def nothing() -> None:
    """Does nothing."""


defs = dg.Definitions(assets=[nothing], executor=dg.in_process_executor)
