"""The smallest Dagster project that can be compared with ours: one partitioned asset, no work."""

import dagster as dg

from benchmarks.accounts import START


@dg.asset(partitions_def=dg.MonthlyPartitionsDefinition(start_date=START, end_offset=1))
def nothing() -> None:
    """Does nothing."""


defs = dg.Definitions(assets=[nothing], executor=dg.in_process_executor)
