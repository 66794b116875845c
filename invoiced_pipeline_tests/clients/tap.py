"""tap-invoiced as its users run it: a process with a config, a catalog and a state file."""

import json
import os
import subprocess
from collections import defaultdict
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

Record = dict[str, Any]

_PYTHON = Path(__file__).parents[2] / ".venv-tap" / "bin" / "python"
"""The tap pins packages that this project needs newer."""

_SCRIPT = Path(__file__).with_name("run_tap.py")

_SECONDS = 60
"""Far beyond any run: the tap waits for minutes between tries where the API refuses it."""


@dataclass
class TapOutput:
    """What one run of the tap wrote.

    Attributes:
        exit_code: 0 when the run came to its end.
        log: Its log and, if it died, the reason.
        streams: The streams that it began, in that order.
        records: Its records by stream; numbers with a point are decimals, as they were written.
        state: Where the next run continues.
    """

    exit_code: int
    log: str
    streams: list[str] = field(default_factory=list)
    records: dict[str, list[Record]] = field(default_factory=lambda: defaultdict(list))
    state: Record = field(default_factory=dict)


class Tap:
    """Runs of the tap that continue one another, all streams and fields selected."""

    def __init__(self, folder: Path, url: str, api_key: str, start_date: str) -> None:
        self._folder = folder
        self._url = url
        config = self._file("config", {"api_key": api_key, "start_date": start_date})
        self._arguments = ["--config", config]
        self._state: Record = {}
        self.catalog = json.loads(self._start("--discover").stdout)

    def schema(self, stream: str) -> dict[str, Record]:
        """The JSON schemas of a stream's fields, by name."""
        (entry,) = [each for each in self.catalog["streams"] if each["stream"] == stream]
        return entry["schema"]["properties"]

    def run(self, *streams: str) -> TapOutput:
        """Reads `streams` in this order, or all of them by name, from the last run's state on."""
        found = {entry["stream"]: entry for entry in self.catalog["streams"]}
        entries = [_selected(found[stream]) for stream in streams or sorted(found)]
        catalog = self._file("catalog", {"streams": entries})
        state = ["--state", self._file("state", self._state)] if self._state else []
        done = self._start("--catalog", catalog, *state)
        output = TapOutput(done.returncode, done.stderr)
        for line in done.stdout.splitlines():
            message = json.loads(line, parse_float=Decimal)
            match message["type"]:
                case "SCHEMA":
                    output.streams.append(message["stream"])
                case "RECORD":
                    output.records[message["stream"]].append(message["record"])
                case "STATE":
                    output.state = self._state = message["value"]
        return output

    def _start(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        assert _PYTHON.exists(), "tap-invoiced is missing: run `make .venv-tap/.installed` once"
        command = [str(_PYTHON), str(_SCRIPT), self._url, *self._arguments, *arguments]
        # A proxy of the machine's must not stand between the tap and the emulator.
        environment = os.environ | {"NO_PROXY": "*", "no_proxy": "*", "PYTHONIOENCODING": "utf-8"}
        return subprocess.run(  # noqa: S603
            command,
            capture_output=True,
            encoding="utf-8",
            env=environment,
            timeout=_SECONDS,
            check=False,
        )

    def _file(self, name: str, content: Record) -> str:
        path = self._folder / f"{name}.json"
        path.write_text(json.dumps(content), encoding="utf-8")
        return str(path)


def _selected(entry: Record) -> Record:
    """A discovered stream with the stream itself and every field of it selected."""
    chosen = [
        each | {"metadata": each["metadata"] | {"selected": True}} for each in entry["metadata"]
    ]
    return entry | {"metadata": chosen}
