"""This project's engines: Dagster's command line as users run it, and its replication alone."""

import json
import shutil
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.accounts import START
from benchmarks.cases import Engine
from benchmarks.processes import ROOT, Usage, measure, module
from benchmarks.sync import Place, Sync

DAGSTER = str(Path(sys.executable).with_name("dagster"))
_DATASET = "invoiced"


def prepare(place: Place) -> None:
    """Gives a case the settings and the Dagster instance of a user's project."""
    place.folder.mkdir(parents=True, exist_ok=True)
    (place.folder / "invoiced.toml").write_text(place.case.settings, encoding="utf-8")
    shutil.copy(ROOT / "dagster.yaml", place.folder)  # its paths are relative to the folder


def materialize(place: Place) -> Usage:
    """Runs `dagster asset materialize` for the case's tables."""
    keys = " or ".join(f'key:"{_DATASET}/{table}"' for table in place.case.tables)
    # A run of a schedule reads what is not covered yet, whatever the range.
    run = {"ops": {f"replicate_{_DATASET}": {"config": {"mode": "sync"}}}}
    command = [DAGSTER, "asset", "materialize", "-m", "invoiced_pipeline.definitions"]
    command += ["--select", keys, "--config-json", json.dumps(run)]
    command += ["--partition-range", _partitions(place)]
    return measure(command, folder=place.folder, environment=_environment(place))


def in_dagster(place: Place) -> Sync:
    """Measures a sync in Dagster, from the start of the process to its end."""
    began = time.time()
    used = materialize(place)
    counting = module("benchmarks.loaded_rows", _warehouse(place), _DATASET, began)
    counted = measure([*counting, *place.case.tables], folder=place.folder / "counting")
    return Sync(
        rows=json.loads(counted.output),
        seconds=used.seconds,
        cpu_seconds=used.cpu_seconds,
        peak_mb=used.peak_mb,
    )


def without_dagster(place: Place) -> Sync:
    """Measures a sync without Dagster, from the end of the imports to the end of the load."""
    checked = ["--checked"] if place.case.engine is Engine.WITH_CHECKS else []
    command = module("benchmarks.without_dagster", *checked, *place.case.tables)
    used = measure(command, folder=place.folder, environment=_environment(place))
    measured = json.loads(used.output)
    return Sync(**measured, peak_mb=used.peak_mb)


def _partitions(place: Place) -> str:
    """Returns the range that a schedule requests: first all partitions, then those not covered."""
    covered = datetime.now(UTC) - timedelta(days=1)
    first = covered if _warehouse(place).exists() else START
    return f"{first:%Y-%m-01}...{datetime.now(UTC):%Y-%m-01}"


def _warehouse(place: Place) -> Path:
    return place.folder / "warehouse.duckdb"


def _environment(place: Place) -> dict[str, str]:
    if place.case.destination == "postgres":
        warehouse = {"INVOICED_DESTINATION": "postgres", "INVOICED_POSTGRES_URL": place.server}
    else:
        warehouse = {"INVOICED_DUCKDB_PATH": str(_warehouse(place))}
    return {
        **warehouse,
        "INVOICED_API_KEY": place.api.api_key,
        "INVOICED_API_URL": place.api.url,
        "INVOICED_START_DATE": START.date().isoformat(),
        "INVOICED_DATASET": _DATASET,
        "DAGSTER_HOME": str(place.folder),
    }
