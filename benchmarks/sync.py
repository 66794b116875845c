"""One sync of one engine, as all engines tell it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.api import Api
from benchmarks.cases import Case


@dataclass(frozen=True, slots=True)
class Place:
    """Where a case works.

    Attributes:
        case: What is measured.
        folder: Its warehouse, settings and logs, through all phases.
        api: The account.
        server: Address of a PostgreSQL server, for cases that load into one.
    """

    case: Case
    folder: Path
    api: Api
    server: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """What one sync did, and what it took.

    Attributes:
        rows: Records loaded by table; rows of child tables are not counted.
        seconds: Wall clock.
        cpu_seconds: User and system, of all processes of the engine.
        peak_mb: Largest resident memory, of all processes added up; 10^6 bytes.
        stages: Seconds of the parts of a sync, where the engine tells them.
        table_seconds: Seconds from a table's first page to its last row, where it tells them.
    """

    rows: Mapping[str, int]
    seconds: float
    cpu_seconds: float
    peak_mb: float
    stages: Mapping[str, float] = field(default_factory=dict)
    table_seconds: Mapping[str, float] = field(default_factory=dict)
