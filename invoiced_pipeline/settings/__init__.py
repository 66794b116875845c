"""Settings: environment over `.env` over `invoiced.toml` over defaults, validated together."""

from invoiced_pipeline.settings.addresses import is_loopback, remembered_host
from invoiced_pipeline.settings.connection import (
    REQUESTS_IN_FLIGHT,
    Cadence,
    ConnectionSettings,
    Deletions,
    dataset_name,
)
from invoiced_pipeline.settings.dagster import DagsterSettings
from invoiced_pipeline.settings.file_name import RENAME_ADVICE, ambiguous_name, refused_name
from invoiced_pipeline.settings.load import load_settings, reload_settings
from invoiced_pipeline.settings.logs import LogFormat, LogsSettings
from invoiced_pipeline.settings.mapping import (
    ColumnSettings,
    ConstantSettings,
    ExpressionSettings,
    ReferenceSettings,
)
from invoiced_pipeline.settings.models import Settings, with_key_prefix
from invoiced_pipeline.settings.schedule import ScheduleSettings
from invoiced_pipeline.settings.start_date import DATE_FORMS, parse_start_date
from invoiced_pipeline.settings.tables import TableSettings, TablesSettings
from invoiced_pipeline.settings.warehouse import (
    STORAGE_VERSION,
    Destination,
    StorageVersion,
    WarehouseSettings,
)
from invoiced_pipeline.settings.writeback import WritebackSettings

__all__ = [
    "DATE_FORMS",
    "RENAME_ADVICE",
    "REQUESTS_IN_FLIGHT",
    "STORAGE_VERSION",
    "Cadence",
    "ColumnSettings",
    "ConnectionSettings",
    "ConstantSettings",
    "DagsterSettings",
    "Deletions",
    "Destination",
    "ExpressionSettings",
    "LogFormat",
    "LogsSettings",
    "ReferenceSettings",
    "ScheduleSettings",
    "Settings",
    "StorageVersion",
    "TableSettings",
    "TablesSettings",
    "WarehouseSettings",
    "WritebackSettings",
    "ambiguous_name",
    "dataset_name",
    "is_loopback",
    "load_settings",
    "parse_start_date",
    "refused_name",
    "reload_settings",
    "remembered_host",
    "with_key_prefix",
]
