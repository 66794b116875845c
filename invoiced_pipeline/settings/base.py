"""The base of all settings."""

from pydantic import BaseModel, ConfigDict


class SettingsModel(BaseModel):
    """A model that rejects unknown keys, so that a typo never goes unnoticed."""

    model_config = ConfigDict(extra="forbid", frozen=True)
