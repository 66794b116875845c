"""The run configuration of a write-back's op."""

import dagster as dg
from pydantic import Field


class WritebackConfig(dg.Config):
    """What a run of a write-back does; by default it only plans."""

    dry_run: bool = Field(
        default=True, description="Only plan: show what would be sent, and send nothing."
    )
    record: str = Field(
        default="", description="Key of the one record to plan or send; empty for all records."
    )
    set_fields: dict[str, str] = Field(
        default={},
        description="Values that replace those of that record, by field of the API or by column "
        "of the source.",
    )
    retry_rejected: bool = Field(
        default=False, description="Send unchanged rows again that the API refused."
    )
    retry_keys: list[str] = Field(
        default=[],
        description="Record keys to send again, also where the outcome is unknown: look first "
        "whether the record is in Invoiced.",
    )
    with_parents: bool = Field(
        default=True, description="First push the write-backs that this one refers to."
    )
    wait: bool = Field(
        default=False, description="Wait while another run writes the warehouse; otherwise fail."
    )
