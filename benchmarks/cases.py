"""Declares what is measured: engines, tables and conditions."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

SIX = ("customers", "invoices", "credit_notes", "estimates", "subscriptions", "plans")
"""The tables that tap-invoiced knows as well."""

NINE = (*SIX, "transactions", "payments", "credit_balance_adjustments")
"""The tables that this project began with, so that figures of all versions are comparable."""

EIGHT = tuple(table for table in NINE if table != "transactions")
"""The tables that Airbyte's connector for Invoiced knows as well."""

CHANGES = 1000
"""Invoices that change between the first and the second sync."""

LATENCY_MS = 100.0
"""How long the API waits before each answer, as if it were in a distant data centre."""

REQUESTS_IN_FLIGHT = 18
"""How many requests this project sends at a time, by default."""


class Phase(StrEnum):
    """The syncs of one account, in order."""

    FIRST = "first sync"
    CHANGED = f"after {CHANGES:,} changes"
    IDLE = "idle sync"


EVERY_PHASE = tuple(Phase)


class Engine(StrEnum):
    """A way from the API to the warehouse."""

    TAP = "tap | target"
    """`tap-invoiced | target-duckdb`: two processes joined by a pipe."""
    AIRBYTE = "Airbyte, reading alone"
    """`source-declarative-manifest`, whose output nothing loads; it reads everything each time."""
    IN_DAGSTER = "ours, in Dagster"
    """`dagster asset materialize`, including the start of its process: what a user waits for."""
    WITHOUT_DAGSTER = "ours, without Dagster"
    """The same replication without Dagster; the start of the process does not count."""
    WITH_CHECKS = "ours, with checks"
    """The same, plus what the op does around a load: `_sync_log`, the API's counts, all checks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One engine under one set of conditions; it keeps its warehouse from phase to phase.

    Attributes:
        engine: Which engine reads.
        tables: Which tables it reads.
        phases: Which syncs it takes part in.
        latency_ms: How long the API waits before each answer.
        settings: An `invoiced.toml` for this project; addresses and paths are added.
        destination: The kind of warehouse that this project loads into.
        note: Distinguishes cases of the same engine and tables.
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
        """The name in reports."""
        return ", ".join(filter(None, (f"{self.engine}, {len(self.tables)} tables", self.note)))


TAP = Case(engine=Engine.TAP, tables=SIX)
AIRBYTE_SIX = Case(engine=Engine.AIRBYTE, tables=SIX, phases=(Phase.FIRST, Phase.CHANGED))
"""For the charts, which show the same tables of all engines."""

AIRBYTE_EIGHT = Case(engine=Engine.AIRBYTE, tables=EIGHT, phases=(Phase.FIRST,))
IN_DAGSTER_SIX = Case(engine=Engine.IN_DAGSTER, tables=SIX)
WITHOUT_DAGSTER_SIX = Case(engine=Engine.WITHOUT_DAGSTER, tables=SIX)
IN_DAGSTER_NINE = Case(engine=Engine.IN_DAGSTER, tables=NINE)
WITHOUT_DAGSTER_NINE = Case(engine=Engine.WITHOUT_DAGSTER, tables=NINE)
NO_LATENCY = Case(
    engine=Engine.WITHOUT_DAGSTER,
    tables=NINE,
    phases=(Phase.FIRST,),
    latency_ms=0.0,
    note="no latency",
)
"""With an API that answers immediately, the processor is the limit."""

NO_DELETIONS = Case(
    engine=Engine.WITHOUT_DAGSTER,
    tables=NINE,
    phases=(Phase.FIRST,),
    settings='[[connection]]\nname = "Invoiced"\ndeletions = "ignore"\n',
    note="no deletions",
)
WITH_CHECKS = Case(engine=Engine.WITH_CHECKS, tables=NINE, phases=(Phase.FIRST,))
"""Compared with `NO_DELETIONS`, it shows what deletions, log and checks cost."""

INTO_POSTGRES = Case(
    engine=Engine.WITHOUT_DAGSTER, tables=NINE, destination="postgres", note="into PostgreSQL"
)
"""Compared with `WITHOUT_DAGSTER_NINE`, it shows what a server costs."""

# To measure with a feature off or another destination, add a case with its `settings`. Measurements
# other than syncs, such as `fixed_cost` and `writing`, are functions that `suite` calls.
CASES: tuple[Case, ...] = (
    TAP,
    AIRBYTE_SIX,
    AIRBYTE_EIGHT,
    IN_DAGSTER_SIX,
    WITHOUT_DAGSTER_SIX,
    IN_DAGSTER_NINE,
    WITHOUT_DAGSTER_NINE,
    NO_LATENCY,
    NO_DELETIONS,
    WITH_CHECKS,
    INTO_POSTGRES,
)

QUICK_CASES = tuple(case for case in CASES if case is not IN_DAGSTER_SIX)
"""Enough to see that the benchmark works: with few records, starting Dagster dominates."""

LARGE = 500_000
"""Number of invoices of the account that `--large` adds."""

LARGE_CASES = (IN_DAGSTER_NINE, WITHOUT_DAGSTER_NINE)
"""Shows whether the work of a sync grows with the account; the other engines would take an hour."""

BY_NAME: Mapping[str, Case] = {case.name: case for case in CASES}
