"""What is measured, as data: which engine, over which tables, under which conditions."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from invoiced_pipeline.catalog import TABLE_NAMES

SIX = ("customers", "invoices", "credit_notes", "estimates", "subscriptions", "plans")
"""The tables that tap-invoiced knows, too."""

NINE = TABLE_NAMES
"""All tables of ours."""

CHANGES = 1000
"""Invoices that change between the first and the second sync."""

LATENCY_MS = 100.0
"""What the API waits before each answer: between a nearby data centre and an ocean away."""


class Phase(StrEnum):
    """The syncs of one account, in their order."""

    FIRST = "first sync"
    CHANGED = f"after {CHANGES:,} changes"
    IDLE = "idle sync"


EVERY_PHASE = tuple(Phase)


class Engine(StrEnum):
    """The way from API to warehouse."""

    TAP = "tap | target"
    """`tap-invoiced | target-duckdb`: two processes and a pipe."""
    PROCESS = "ours, process"
    """`dagster asset materialize`: what a user waits for, process start and all."""
    INNER = "ours, inner"
    """The same replication without Dagster and without the start of a process."""
    CHECKED = "ours, checked"
    """The same with what the op does around a load: `_sync_log`, the API's counts, all checks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One engine under one set of conditions; it keeps its warehouse through its phases.

    Attributes:
        engine: Who reads.
        tables: What is read.
        phases: When it takes part.
        latency_ms: Milliseconds that the API waits before each answer.
        settings: An `invoiced.toml` for our engines; addresses and paths are added to it.
        destination: The kind of warehouse that ours loads into.
        note: Tells the case from others of the same engine and tables.
    """

    engine: Engine
    tables: tuple[str, ...]
    phases: tuple[Phase, ...] = EVERY_PHASE
    latency_ms: float = LATENCY_MS
    settings: str = ""
    destination: Literal["duckdb", "postgres"] = "duckdb"
    note: str = ""

    @property
    def name(self) -> str:
        """How reports call it."""
        return ", ".join(filter(None, (f"{self.engine}, {len(self.tables)} tables", self.note)))


TAP = Case(engine=Engine.TAP, tables=SIX)
PROCESS_SIX = Case(engine=Engine.PROCESS, tables=SIX)
INNER_SIX = Case(engine=Engine.INNER, tables=SIX)
PROCESS_NINE = Case(engine=Engine.PROCESS, tables=NINE)
INNER_NINE = Case(engine=Engine.INNER, tables=NINE)
INNER_NO_LATENCY = Case(
    engine=Engine.INNER,
    tables=NINE,
    phases=(Phase.FIRST,),
    latency_ms=0.0,
    note="no latency",
)
"""With an API that answers at once, the processor is the limit."""

BARE_NINE = Case(
    engine=Engine.INNER,
    tables=NINE,
    phases=(Phase.FIRST,),
    settings='[[connection]]\nname = "Invoiced"\ndeletions = "ignore"\n',
    note="no deletions",
)
CHECKED_NINE = Case(engine=Engine.CHECKED, tables=NINE, phases=(Phase.FIRST,))
"""Both in one run: what deletions, log and checks cost."""

INNER_POSTGRES = Case(
    engine=Engine.INNER, tables=NINE, destination="postgres", note="into PostgreSQL"
)
"""Beside the same into DuckDB: what a server costs."""

# A feature switched off, or another destination, is one more case here, with its `settings`. What
# is no sync is a measurement of its own, such as `fixed_cost` and `writing`, called by `suite`.
CASES: tuple[Case, ...] = (
    TAP,
    PROCESS_SIX,
    INNER_SIX,
    PROCESS_NINE,
    INNER_NINE,
    INNER_NO_LATENCY,
    BARE_NINE,
    CHECKED_NINE,
    INNER_POSTGRES,
)

QUICK_CASES = tuple(case for case in CASES if case is not PROCESS_SIX)
"""What is enough to see that it works: starts of Dagster take most of a small account's time."""

BY_NAME: Mapping[str, Case] = {case.name: case for case in CASES}
