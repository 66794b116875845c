"""The configuration of a run of the sync's op."""

from typing import Any, Literal

import dagster as dg
from pydantic import Field

from invoiced_pipeline.defs.names import op_name
from invoiced_pipeline.replication.report import Mode
from invoiced_pipeline.settings import ConnectionSettings

WhenBusy = Literal["fail", "wait"]


class ReplicateConfig(dg.Config):
    """What a run reads, and what it does while another run writes."""

    mode: Mode = Field(
        "window",
        description="`window` reads the selected partitions again. `sync` reads what is not "
        "covered yet, whichever partitions are selected. `full` reads everything since the start "
        "date.",
    )
    when_busy: WhenBusy = Field(
        default="fail",
        description="While another run writes the warehouse: `fail` at once, naming that run, or "
        "`wait` until it has ended.",
    )


def sync_config(
    connection: ConnectionSettings, mode: Mode, when_busy: WhenBusy = "fail"
) -> dict[str, Any]:
    """Returns the configuration of a run of the sync job."""
    config = ReplicateConfig(mode=mode, when_busy=when_busy)
    return dg.RunConfig(ops={op_name(connection): config}).to_config_dict()
