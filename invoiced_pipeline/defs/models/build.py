"""What the op of the models does: it runs dbt while it holds the writer's lock."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DbtCliResource
from dagster_dbt.errors import DagsterDbtCliRuntimeError

from invoiced_pipeline.defs.models.job import ModelsConfig
from invoiced_pipeline.defs.models.pictures import with_pictures
from invoiced_pipeline.defs.replicated_dataset import ReplicatedDataset
from invoiced_pipeline.defs.resources import Warehouse
from invoiced_pipeline.defs.runs.event_log import write_events_quickly
from invoiced_pipeline.exceptions import InvoicedPipelineError, WarehouseError
from invoiced_pipeline.models.profile import profile_of
from invoiced_pipeline.models.project import PROJECT, models_schema
from invoiced_pipeline.settings import reload_settings
from invoiced_pipeline.warehouse.database import Database


def execute(
    context: dg.AssetExecutionContext, config: ModelsConfig, dataset: ReplicatedDataset
) -> Iterator[Any]:
    """Builds the run's models and yields their results, and those of their tests.

    Raises:
        dagster.Failure: Something failed; the text says what, and what to do.
    """
    write_events_quickly(context.instance)
    warehouse: Warehouse = getattr(context.resources, dataset.keys.warehouse)
    try:
        database = warehouse.database
        with warehouse.writer(dataset.name, context.run_id, context.instance, wait=config.wait):
            _check_tables(database, dataset.name)
            events = _run_dbt(context, warehouse, dataset)
            yield from with_pictures(context, events, lambda: _pictures(database, dataset.name))
    except InvoicedPipelineError as error:
        raise dg.Failure(str(error), allow_retries=False) from error
    except DagsterDbtCliRuntimeError as error:
        message = (
            f"dbt did not build all models of {dataset.name}: models that failed, and those behind "
            f"them, keep their earlier rows. {error}"
        )
        raise dg.Failure(message, allow_retries=False) from error


def _check_tables(database: Database, dataset: str) -> None:
    """Checks that there is anything to build from: dbt would create an empty file.

    Raises:
        WarehouseError: Nothing was loaded yet, or the warehouse cannot be written.
    """
    if not (database.exists() and _tables(database, dataset)):
        message = f"{database.label} holds no tables of {dataset} yet: run a sync first"
        raise WarehouseError(message)
    database.check_writable()


def _tables(database: Database, dataset: str) -> frozenset[str]:
    with database.session(dataset, read_only=True) as session:
        return session.tables()


def _run_dbt(
    context: dg.AssetExecutionContext, warehouse: Warehouse, dataset: ReplicatedDataset
) -> Iterator[Any]:
    """Runs `dbt build`. Its compiled SQL and log stay beside the warehouse, for the next parse."""
    settings, database = reload_settings(dataset.settings), warehouse.database
    path = settings.folder / warehouse.path
    profile = profile_of(
        settings.warehouse.model_copy(update={"path": path}), models_schema(dataset.name)
    )
    target = database.beside("dbt").resolve() / dataset.name
    target.mkdir(parents=True, exist_ok=True)
    variables = json.dumps({"invoiced_schema": dataset.name})
    with tempfile.TemporaryDirectory() as folder, _environment(profile.environment):
        profile.write(Path(folder))
        dbt = DbtCliResource(
            project_dir=str(PROJECT),
            profiles_dir=folder,
            dbt_executable=str(Path(sys.executable).with_name("dbt")),
        )
        command = ["build", "--vars", variables]
        invocation = dbt.cli(command, context=context, target_path=target)
        try:
            yield from invocation.stream()
        finally:
            _end(invocation.process)


def _end(process: subprocess.Popen[Any]) -> None:
    """Ends dbt if this run ends before it: nothing may write once the lock is released."""
    if process.poll() is None:
        process.terminate()
        process.wait()


def _pictures(database: Database, dataset: str) -> Mapping[str, str]:
    # Here, because the definitions import this module, and altair takes seconds.
    from invoiced_pipeline.report.pictures import model_pictures

    return model_pictures(database, dataset, datetime.now(UTC).date())


@contextmanager
def _environment(variables: Mapping[str, str]) -> Iterator[None]:
    """Sets variables for dbt's process, which inherits those of this one."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name)
            else:
                os.environ[name] = value
