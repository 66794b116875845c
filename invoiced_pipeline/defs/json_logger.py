"""The console logger of runs whose log lines are JSON."""

import logging
import sys

import dagster as dg

from invoiced_pipeline.defs.names import (
    op_name,
    sweep_job_name,
    sweep_op_name,
    sync_job_name,
    writeback_job_name,
    writeback_op_name,
)
from invoiced_pipeline.json_logs import SOURCE, JsonFormatter
from invoiced_pipeline.settings import Settings, reload_settings
from invoiced_pipeline.settings.secret_texts import secret_texts

_OURS = "invoiced_pipeline"


def json_logger(settings: Settings) -> dg.LoggerDefinition:
    """Returns the logger for `dg.Definitions(loggers={"console": ...})`.

    Dagster's own `json_console_logger` writes every attribute of a record, its events nested, and
    does not hide secrets.
    """

    @dg.logger(
        config_schema={
            "log_level": dg.Field(str, default_value="INFO", description="The lowest level."),
            "name": dg.Field(str, default_value="dagster", description="The logger's name."),
        },
        description="Writes one JSON object per line to stderr, without secrets.",
    )
    def console(context: dg.InitLoggerContext) -> logging.Logger:
        formatter = json_formatter(reload_settings(settings))
        _replace(logging.getLogger(_OURS), _OwnRecords(formatter))
        logger = logging.Logger(context.logger_config["name"], context.logger_config["log_level"])
        handler = logging.StreamHandler(sys.stderr)
        handler.setFormatter(formatter)
        logger.addHandler(handler)
        return logger

    return console


def json_formatter(settings: Settings) -> JsonFormatter:
    """Returns a formatter that knows the secrets, and the ops and jobs of each connection."""
    connections = {
        name_of(each): each.name
        for each in settings.connection
        for name_of in (op_name, sync_job_name, sweep_op_name, sweep_job_name)
    }
    for writeback in settings.writeback:
        connection = settings.find(writeback.connection)
        for name_of in (writeback_op_name, writeback_job_name):
            connections[name_of(connection, writeback.name)] = connection.name
    return JsonFormatter(secret_texts(settings), connections)


class _OwnRecords(logging.StreamHandler):
    """Notes the logger of each of the pipeline's records, which Dagster replaces by its own.

    Where Dagster does not take these records (`managed_python_loggers`), it writes them itself.
    """

    def __init__(self, formatter: JsonFormatter) -> None:
        super().__init__(sys.stderr)
        self.setFormatter(formatter)

    def emit(self, record: logging.LogRecord) -> None:
        """Notes the logger, and writes the record if nobody else will."""
        setattr(record, SOURCE, record.name)
        others = (*logging.getLogger(_OURS).handlers, *logging.getLogger().handlers)
        if all(handler is self for handler in others):
            super().emit(record)


def _replace(logger: logging.Logger, handler: _OwnRecords) -> None:
    """Adds the handler before those of Dagster; a process may run several jobs, one by one."""
    for former in [each for each in logger.handlers if isinstance(each, _OwnRecords)]:
        logger.removeHandler(former)
    logger.addHandler(handler)
