"""Airbyte's engine, reading alone: `source-declarative-manifest` with a manifest of our own."""

import json
from typing import Any

import urllib3

from benchmarks.processes import ROOT, CommandFailedError, measure, module
from benchmarks.sync import Place, Sync

_SOURCE = str(ROOT / ".venv-airbyte" / "bin" / "source-declarative-manifest")
_MANIFEST = str(ROOT / "benchmarks" / "airbyte_manifest.yaml")
_EXPECTED = "expected.json"


def prepare(place: Place) -> None:
    """Writes configuration and catalog, and how many records each list has."""
    place.folder.mkdir(parents=True, exist_ok=True)
    _write(place, "config.json", {"url": place.api.url, "api_key": place.api.api_key})
    _write(place, "catalog.json", {"streams": [_configured(name) for name in place.case.tables]})
    _write(place, _EXPECTED, {name: _listed(place, name) for name in place.case.tables})


def read(place: Place) -> Sync:
    """Reads all records; nothing loads them, and no state is kept (full refresh).

    Raises:
        CommandFailedError: The source failed, or did not print every record of every list.
    """
    command = [_SOURCE, "read", "--config", "config.json", "--catalog", "catalog.json"]
    used = measure([*command, "--manifest-path", _MANIFEST], folder=place.folder)
    # In a process of its own: the parent's memory would count as that of later engines.
    counting = module("benchmarks.airbyte_records", used.output_file)
    rows = dict.fromkeys(place.case.tables, 0)
    rows |= json.loads(measure(counting, folder=place.folder / "counting").output)
    used.output_file.unlink()  # 2 kB per record
    expected = json.loads((place.folder / _EXPECTED).read_text(encoding="utf-8"))
    if rows != expected:
        message = f"the API lists {expected}, Airbyte's engine read {rows}"
        raise CommandFailedError(message)
    return Sync(rows=rows, seconds=used.seconds, cpu_seconds=used.cpu_seconds, peak_mb=used.peak_mb)


def _configured(stream: str) -> dict[str, Any]:
    described = {"name": stream, "json_schema": {}, "supported_sync_modes": ["full_refresh"]}
    return {
        "stream": described,
        "sync_mode": "full_refresh",
        "destination_sync_mode": "overwrite",
    }


def _listed(place: Place, table: str) -> int:
    """Asks the API: a list leaves out archived plans and ended subscriptions."""
    headers = urllib3.make_headers(basic_auth=f"{place.api.api_key}:")
    answer = urllib3.request("GET", f"{place.api.url}/{table}?per_page=1", headers=headers)
    return int(answer.headers["X-Total-Count"])


def _write(place: Place, name: str, content: Any) -> None:
    (place.folder / name).write_text(json.dumps(content), encoding="utf-8")
