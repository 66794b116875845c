"""Stitch's engine: `tap-invoiced | target-duckdb`, each in the environment of its own lock file."""

import json
import re
from collections import Counter
from pathlib import Path
from typing import Any

from benchmarks.accounts import START
from benchmarks.processes import ROOT, CommandFailedError, measure
from benchmarks.sync import Place, Sync

# The tap has no setting for the API's address; the tests' client of it sets that, and no more.
_TAP = (
    str(ROOT / ".venv-tap" / "bin" / "python"),
    str(ROOT / "invoiced_pipeline_tests" / "clients" / "run_tap.py"),
)
_TARGET = str(ROOT / ".venv-target" / "bin" / "target-duckdb")
_STREAM = re.compile(r"Syncing stream:(\w+)|(\d+) objects returned")
_LOADED = re.compile(r"Loading (\d+) rows into")


def prepare(place: Place) -> None:
    """Writes both configurations, and the catalog with every stream and field selected."""
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
    """A sync from where the last one's state ended.

    Raises:
        CommandFailedError: One of both failed, or the target did not load what the tap read.
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
    # The target prints the state up to which everything is loaded, last of all.
    state.write_text(used.output.splitlines()[-1], encoding="utf-8")
    return Sync(
        rows=dict(rows),
        seconds=used.seconds,
        cpu_seconds=used.cpu_seconds,
        peak_mb=used.peak_mb,
    )


def rows_read(log: str) -> Counter[str]:
    """Records by stream, by the tap's own log: whoever reads the pipe would slow it down."""
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
