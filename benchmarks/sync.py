"""One sync of one engine, in the form that all engines report."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.api import Api
from benchmarks.cases import Case


@dataclass(frozen=True, slots=True)
class Place:
    """Where a case runs.

    Attributes:
        case: What is measured.
        folder: Holds its warehouse, settings and logs through all phases.
        api: The account.
        server: Address of a PostgreSQL server, for cases that load into one.
    """

    case: Case
    folder: Path
    api: Api
    server: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """What one sync loaded, and the time and memory it took.

    Attributes:
        rows: Records loaded by table; rows of child tables are not counted.
        seconds: Wall-clock time.
        cpu_seconds: User and system time of all processes of the engine.
        peak_mb: The sum of each process's largest resident memory, in 10^6 bytes.
        stages: Seconds of the parts of a sync, if the engine reports them.
        table_seconds: Seconds from a table's first page to its last row, if it reports them.
        table_requests: Requests by table, without those of the events feed, if it reports them.
    """

    rows: Mapping[str, int]
    seconds: float
    cpu_seconds: float
    peak_mb: float
    stages: Mapping[str, float] = field(default_factory=dict)
    table_seconds: Mapping[str, float] = field(default_factory=dict)
    table_requests: Mapping[str, int] = field(default_factory=dict)
