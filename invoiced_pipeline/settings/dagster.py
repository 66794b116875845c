"""`[dagster]`: where Dagster records runs, for how long, and under which name."""

from pathlib import Path

from pydantic import Field

from invoiced_pipeline.settings.base import SettingsModel


class DagsterSettings(SettingsModel):
    """`[dagster]`: where runs are recorded, for how long, and where the UI lists them."""

    home: Path | None = Field(
        default=None,
        description="The folder of Dagster's records. The variable `DAGSTER_HOME` overrides it, "
        "unless the file sets `environment = false`. Without either, the working directory is used "
        "if it has a `dagster.yaml`, else the folder `dagster` beside the warehouse.",
        examples=["/srv/dagster"],
    )
    code_location: str = Field(
        default="invoiced_pipeline",
        min_length=1,
        description="The code location under which the UI lists runs started by commands, if no "
        "`workspace.yaml` names one.",
        examples=["invoiced_pipeline.definitions"],
    )
    keep_runs_days: int | None = Field(
        default=None,
        ge=1,
        strict=True,
        description="Days after which finished runs are deleted, once a day by the job "
        "`delete_old_runs`, or by `invoiced-pipeline delete-old-runs`. By default all runs stay.",
        examples=[90],
    )
