"""The base of all settings."""

from pydantic import BaseModel, ConfigDict


class Strict(BaseModel):
    """A model that refuses keys it does not know, so that no typing error goes unseen."""

    model_config = ConfigDict(extra="forbid", frozen=True)
