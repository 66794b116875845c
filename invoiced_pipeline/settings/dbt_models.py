"""`[models]`: whether the dbt models are built after syncs."""

from pydantic import Field

from invoiced_pipeline.settings.base import SettingsModel


class ModelsSettings(SettingsModel):
    """`[models]`: models of receivables, cash and recurring revenue (docs/models.md)."""

    enabled: bool = Field(
        default=False,
        strict=True,
        description="Whether the models are assets, and are built after every sync that loaded "
        "anything. This needs `pip install 'invoiced-pipeline[models]'`.",
        examples=[True],
    )
