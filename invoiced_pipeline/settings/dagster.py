"""`[dagster]`: where Dagster records runs, for how long, and under which name."""

from pathlib import Path

from pydantic import Field

from invoiced_pipeline.settings.base import Strict


class DagsterSettings(Strict):
    """`[dagster]`: where runs are recorded, for how long, and where the UI lists them."""

    home: Path | None = Field(
        default=None,
        description="The folder of Dagster's records. `DAGSTER_HOME` wins over it, unless the file "
        "says `environment = false`. Without both it is the working directory if that has a "
        "`dagster.yaml`, else the folder `dagster` beside the warehouse.",
        examples=["/srv/dagster"],
    )
    code_location: str = Field(
        default="invoiced_pipeline",
        min_length=1,
        description="The code location under which the UI lists the runs of commands, where no "
        "`workspace.yaml` names one.",
        examples=["invoiced_pipeline.definitions"],
    )
    keep_runs_days: int | None = Field(
        default=None,
        ge=1,
        strict=True,
        description="Runs that ended longer ago are deleted, once a day by the job "
        "`delete_old_runs`, or by `invoiced-pipeline delete-old-runs`. Without it all runs stay.",
        examples=[90],
    )
