"""What the `writeback` commands do: plan, push, and show the states of rows."""

import json
from typing import Any

import typer

from invoiced_pipeline.commands.writeback_output import (
    plan_data,
    result_data,
    show_plan,
    show_result,
    show_status,
    status_data,
)
from invoiced_pipeline.defs.assembly import project_definitions
from invoiced_pipeline.defs.launch.instance import open_instance
from invoiced_pipeline.defs.launch.launch import WritebackResult, run_writeback
from invoiced_pipeline.defs.writeback.config import WritebackConfig
from invoiced_pipeline.invoiced.http.json_body import encode_body
from invoiced_pipeline.selection.privacy import privacy_of
from invoiced_pipeline.settings import Settings
from invoiced_pipeline.warehouse.open import open_database
from invoiced_pipeline.writeback.ledger.ledger import Ledger
from invoiced_pipeline.writeback.plan.current_plan import plan_writeback
from invoiced_pipeline.writeback.plan.plan_table import write_plan
from invoiced_pipeline.writeback.plan.redaction import redacted_plan


def print_plan(settings: Settings, name: str, *, as_json: bool) -> bool:
    """Makes, stores and prints the plan of a write-back.

    Returns:
        Whether the share of invalid rows is within `reject_share`.
    """
    writeback = settings.find_writeback(name)
    connection = settings.find(writeback.connection)
    database, host = open_database(settings.warehouse), connection.base_url
    with database.writer_lock(connection.dataset, f"plan of {name}"):
        plan = plan_writeback(settings, name, database)
        kept = redacted_plan(plan, privacy_of(connection, settings.hash_salt))
        write_plan(database, connection.dataset, kept, "")
    if as_json:
        typer.echo(encode_body(plan_data(plan, host)).decode())
    else:
        show_plan(plan, host)
    return plan.counts["invalid"] <= writeback.reject_share * len(plan.rows)


def run_push(settings: Settings, name: str, **config: Any) -> WritebackResult:
    """Runs a write-back's job in this process; it sends, and does not only plan.

    Args:
        settings: All settings.
        name: Name of the write-back.
        config: As of `WritebackConfig`.

    Raises:
        ConfigurationError: There is no such write-back.
    """
    connection = settings.find(settings.find_writeback(name).connection)
    definitions = project_definitions(settings)
    with open_instance(settings) as instance:
        run_config = WritebackConfig(dry_run=False, **config)
        return run_writeback(definitions, connection, name, instance, run_config)


def print_result(result: WritebackResult, *, as_json: bool) -> None:
    """Prints what a push did."""
    if as_json:
        typer.echo(json.dumps(result_data(result), default=str))
    else:
        show_result(result)


def print_status(settings: Settings, name: str, *, as_json: bool) -> bool:
    """Prints where every row of a write-back stands.

    Returns:
        Whether no row is refused, invalid, or without a known outcome.
    """
    writeback = settings.find_writeback(name)
    dataset = settings.find(writeback.connection).dataset
    entries = Ledger(open_database(settings.warehouse), dataset).entries(name)
    data = status_data(writeback, entries)
    if as_json:
        typer.echo(json.dumps(data, default=str))
    else:
        show_status(data)
    return not any(data["states"][each] for each in ("rejected", "invalid", "unknown", "sent"))
