"""Stitch's engine: `tap-invoiced | target-duckdb`, each in its own environment."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.accounts import START
from benchmarks.processes import ROOT, CommandFailedError, measure
from benchmarks.sync import Place, Sync

# The tap has no setting for the API's address. The tests' wrapper sets it and changes nothing else.
_TAP = (
    str(ROOT / ".venv-tap" / "bin" / "python"),
    str(ROOT / "invoiced_pipeline_tests" / "clients" / "run_tap.py"),
)
_TARGET = str(ROOT / ".venv-target" / "bin" / "target-duckdb")
_STREAM = re.compile(r"Syncing stream:(\w+)|(\d+) objects returned")
_LOADED = re.compile(r"Loading (\d+) rows into")


def prepare(place: Place) -> None:
    """Writes both configurations and the catalog, with every stream and field selected."""
    place.folder.mkdir(parents=True, exist_ok=True)
    _write(
        place.folder / "tap.json", {"api_key": place.api.api_key, "start_date": f"{START:%FT%TZ}"}
    )
    target = {"path": str(place.folder / "target.duckdb"), "default_target_schema": "invoiced"}
    _write(place.folder / "target.json", target | {"temp_dir": str(place.folder)})
    discover = [*_TAP, place.api.url, "--config", "tap.json", "--discover"]
    found = json.loads(measure(discover, folder=place.folder).output)
    streams = {entry["stream"]: entry for entry in found["streams"]}
    chosen = [_selected(streams[table]) for table in place.case.tables]
    _write(place.folder / "catalog.json", {"streams": chosen})


def sync(place: Place) -> Sync:
    """Runs a sync from the state of the last one.

    Raises:
        CommandFailedError: Tap or target failed, or the target did not load what the tap read.
    """
    state = place.folder / "state.json"
    tap = [*_TAP, place.api.url, "--config", "tap.json", "--catalog", "catalog.json"]
    if state.exists():
        tap += ["--state", state.name]
    used = measure(tap, [_TARGET, "--config", "target.json"], folder=place.folder)
    rows = rows_read(used.logs[0])
    loaded = sum(map(int, _LOADED.findall(used.logs[1])))
    if loaded != rows.total():
        message = f"the tap read {rows.total()} records, the target loaded {loaded}"
        raise CommandFailedError(message)
    # The last line that the target prints is the state up to which everything is loaded.
    state.write_text(used.output.splitlines()[-1], encoding="utf-8")
    return Sync(
        rows=dict(rows),
        seconds=used.seconds,
        cpu_seconds=used.cpu_seconds,
        peak_mb=used.peak_mb,
    )


def rows_read(log: str) -> Counter[str]:
    """Counts records by stream from the tap's log; reading the pipe would slow the tap down."""
    rows: Counter[str] = Counter()
    stream = ""
    for begun, count in _STREAM.findall(log):
        stream = begun or stream
        rows[stream] += int(count or 0)
    return rows


def _selected(entry: dict[str, Any]) -> dict[str, Any]:
    metadata = [
        each | {"metadata": each["metadata"] | {"selected": True}} for each in entry["metadata"]
    ]
    return entry | {"metadata": metadata}


def _write(path: Path, content: Any) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")
